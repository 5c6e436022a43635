{#- Grain: funnel x grain x start date x step, from the second.
    How long attempts took from the step before; only the dates that this build may have changed are looked at again.
    Definition: docs/definitions/funnels.md -#}
{{ config(
    schema="intermediate",
    materialized="incremental",
    incremental_strategy="append",
    on_schema_change="fail",
    pre_hook="{{ delete_touched('start_date in (select start_date from ' ~ ref('int_funnel_count_dates') ~ ')') }}",
) }}
{%- set quantiles = {"median_seconds": var("funnel_time_quantiles")[0], "p90_seconds": var("funnel_time_quantiles")[1]} %}

with times as (
    select
        attempts.funnel_id,
        attempts.grain,
        steps.step,
        {{ list_at("attempts.step_seconds", "cast(steps.step - 1 as integer)") }} as seconds,
        attempts.start_date
    from {{ ref("int_funnel_attempts") }} as attempts
    inner join {{ ref("funnel_steps") }} as steps on attempts.funnel_id = steps.funnel_id
    where
        steps.step between 2 and attempts.max_step
        {%- if adds_to_history() %}
        and attempts.start_date in (select start_date from {{ ref("int_funnel_count_dates") }})
        {%- endif %}
),

distinct_times as (
    select funnel_id, grain, step, start_date, seconds, count(*) as attempts
    from times
    group by funnel_id, grain, step, start_date, seconds
),

positions as (
    select
        *,
        sum(attempts) over (
            partition by funnel_id, grain, step, start_date order by seconds
            rows between unbounded preceding and current row
        ) as reached_count,
        sum(attempts) over (partition by funnel_id, grain, step, start_date) as time_count
    from distinct_times
)

select
    funnel_id,
    grain,
    step,
    cast(max(time_count) as bigint) as reached_attempts,
    {% for name, q in quantiles.items() -%}
    cast(min(case when {{ has_reached_quantile("reached_count", "time_count", q) }} then seconds end) as bigint) as {{ name }},
    {% endfor -%}
    start_date
from positions
group by funnel_id, grain, step, start_date
