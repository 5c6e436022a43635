{#- Grain: audience x period (all, or the month of exposure).
    Those contacted and those held out, each customer once by the first complete exposure of the period, and what they brought.
    Definition: docs/definitions/audience-outcomes.md -#}
{{ config(schema="intermediate", materialized="table") }}

with complete as (
    select
        audience_id, customer_key, {{ to_cents("net_amount") }} as net_cents, holdout_share, is_holdout, has_converted,
        exposed_on
    from {{ ref("fct_audience_outcomes") }}
    where is_complete
),

by_period as (
    select *, 'all' as period from complete
    union all
    select *, substr(cast(exposed_on as varchar), 1, 7) as period from complete
),

-- Chance has drawn people, not exposures; and whether somebody comes again may be the work of the first time.
ranked as (
    select
        *,
        row_number() over (partition by audience_id, period, customer_key order by exposed_on) as exposure_rank
    from by_period
),

firsts as (
    select
        *,
        holdout_share > 0 as is_planned,
        max(case when holdout_share > 0 then 1 else 0 end) over (partition by audience_id, period) = 1 as has_plan
    from ranked
    where exposure_rank = 1
),

-- Exposures from before there was a holdout have nobody to be compared with.
arms as (
    select
        *,
        is_planned <> has_plan as is_apart,
        is_planned = has_plan and not is_holdout as is_contacted,
        is_planned = has_plan and is_holdout as is_held_out
    from firsts
)

select
    audience_id,
    period,
    {%- for arm, belongs in [("contacted", "is_contacted"), ("holdout", "is_held_out")] %}
    count(case when {{ belongs }} then 1 end) as {{ arm }}_customers,
    count(case when {{ belongs }} and has_converted then 1 end) as {{ arm }}_converted,
    cast(coalesce(sum(case when {{ belongs }} then net_cents end), 0) as decimal(38, 0)) as {{ arm }}_cents,
    cast(coalesce(sum(case when {{ belongs }} then net_cents * net_cents end), 0) as decimal(38, 0))
        as {{ arm }}_square_cents,
    {%- endfor %}
    count(case when is_apart then 1 end) as unmeasured_customers,
    cast(sum(case when is_apart then 0 else holdout_share end) as decimal(18, 6)) as planned_holdout,
    cast(
        coalesce(sum(case when not is_apart then holdout_share * (1 - holdout_share) end), 0) as decimal(18, 12)
    ) as planned_variance
from arms
group by audience_id, period
