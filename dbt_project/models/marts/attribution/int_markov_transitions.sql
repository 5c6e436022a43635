{#- Grain: state x next state of the chain that the visits of the last markov_days make; NULL from: start, NULL to: end.
    A path is what a person visited between two payments. It converts where it ends with an order whose touches it holds.
    Definition: docs/definitions/attribution.md -#}
{{ config(schema="intermediate", materialized="table") }}

with visits as (
    select
        coalesce(visitors.customer_key, sessions.visitor_id) as person_id,
        sessions.session_id,
        coalesce(sessions.source, '{{ var("funnel_unknown_source") }}') as source,
        cast(null as varchar) as campaign,
        sessions.started_at
    from {{ ref("fct_sessions") }} as sessions
    left join {{ ref("dim_visitors") }} as visitors on sessions.visitor_id = visitors.visitor_id
    where sessions.session_date > {{ add_days(as_of_date(), -var("markov_days")) }} and sessions.session_date <= {{ as_of_date() }}
),

payments as (
    select distinct customer_key as person_id, paid_at
    from {{ ref("fct_orders") }}
    where
        is_paid and customer_key in (select person_id from visits)
        and paid_date > {{ add_days(as_of_date(), -(var("markov_days") + 1)) }} and paid_date <= {{ as_of_date() }}
),

-- Whoever paid nothing has one path, and needs no line of time.
visits_of_buyers as (
    select * from visits where person_id in (select person_id from payments)
),

{{ path_ctes("visits_of_buyers", "payments") }},

-- What lies too long before the order that ends its path is no touch of it: a path of its own, which does not convert.
cut as (
    select
        person_id, path_at, source, moment_at as started_at, session_id,
        coalesce({{ first_touch_at("next_paid_at") }} <= moment_at, false) as is_converting
    from paths
    where is_payment = 0
    union all
    select person_id, null as path_at, source, started_at, session_id, false as is_converting
    from visits
    where person_id not in (select person_id from payments)
),

-- The most visited sources are states of their own; ties by name.
sources as (
    select source, row_number() over (order by count(*) desc, source) as source_rank
    from visits
    group by source
),

steps as (
    select
        cut.person_id, cut.path_at, cut.is_converting, cut.started_at, cut.session_id,
        case
            when sources.source_rank <= {{ var("markov_max_sources") }} then cut.source
            else '{{ var("markov_other_source") }}'
        end as source
    from cut
    inner join sources on cut.source = sources.source
),

followed as (
    select
        source,
        is_converting,
        lag(source) over in_path as from_source,
        lead(source) over in_path as to_source
    from steps
    window in_path as (partition by person_id, path_at, is_converting order by started_at, session_id)
),

counted as (
    select null as from_source, source as to_source, false as is_conversion, 1 as transitions, 0 as paths
    from followed
    where from_source is null
    union all
    select
        source as from_source, to_source, to_source is null and is_converting as is_conversion, 1 as transitions, 0 as paths
    from followed
    union all
    -- Where the path ends that holds the source, by whichever visit.
    select distinct_paths.source, null, distinct_paths.is_converting, 0, 1
    from (select distinct person_id, path_at, is_converting, source from steps) as distinct_paths
)

select
    from_source,
    to_source,
    is_conversion,
    cast(sum(transitions) as bigint) as transitions,
    cast(sum(paths) as bigint) as paths
from counted
group by from_source, to_source, is_conversion
