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

{{ path_ctes("visits", "payments") }},

-- The most visited sources are states of their own; ties by name.
sources as (
    select source, row_number() over (order by count(*) desc, source) as source_rank
    from visits
    group by source
),

-- What lies too long before the order that ends its path is no touch of it: a path of its own, which does not convert.
steps as (
    select
        paths.person_id,
        paths.path_at,
        coalesce({{ first_touch_at("paths.next_paid_at") }} <= paths.moment_at, false) as is_converting,
        case
            when sources.source_rank <= {{ var("markov_max_sources") }} then paths.source
            else '{{ var("markov_other_source") }}'
        end as source,
        paths.moment_at,
        paths.session_id
    from paths
    inner join sources on paths.source = sources.source
    where paths.is_payment = 0
),

placed as (
    select
        source,
        lag(source) over in_path as from_source,
        lead(source) over in_path as to_source,
        is_converting,
        row_number() over (
            partition by person_id, path_at, is_converting, source order by moment_at, session_id
        ) = 1 as is_first_of_source
    from steps
    window in_path as (partition by person_id, path_at, is_converting order by moment_at, session_id)
),

transitions as (
    select null as from_source, source as to_source, false as is_conversion, 1 as visits, 0 as paths, 0 as converting_paths
    from placed
    where from_source is null
    union all
    select
        source as from_source,
        to_source,
        to_source is null and is_converting as is_conversion,
        1 as visits,
        case when is_first_of_source then 1 else 0 end as paths,
        case when is_first_of_source and is_converting then 1 else 0 end as converting_paths
    from placed
)

select
    from_source,
    to_source,
    is_conversion,
    cast(sum(visits) as bigint) as transitions,
    cast(sum(paths) as bigint) as paths,
    cast(sum(converting_paths) as bigint) as converting_paths
from transitions
group by from_source, to_source, is_conversion
