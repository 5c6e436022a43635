{#- Grain: shop x funnel x grain x start date x source x step.
    How many attempts reached each step, by the source of their first event; dense, zeros included.
    Definition: docs/definitions/funnels.md -#}

with first_dates as (
    select min(event_date) as first_date
    from {{ ref("int_traffic_sources_seen") }}
    union all
    -- A funnel may begin with an order.
    select min(start_date) as first_date
    from {{ ref("int_funnel_counts") }}
),

days as (
    select {{ explode_days("min(first_date)", as_of_date()) }} as start_at
    from first_dates
),

sources as (
    select source from {{ ref("int_traffic_sources_seen") }}
    union
    select source from {{ ref("int_funnel_counts") }}
),

spine as (
    select
        steps.funnel_id,
        grains.grain,
        sources.source,
        steps.step,
        steps.step_name,
        cast(days.start_at as date) as start_date
    from {{ ref("funnel_steps") }} as steps
    cross join {{ ref("funnel_grains") }} as grains
    cross join days
    cross join sources
),

-- An attempt that reached a step has reached those before it.
counted as (
    select
        spine.funnel_id,
        spine.grain,
        spine.source,
        spine.step,
        spine.step_name,
        spine.start_date,
        cast(coalesce(sum(counts.attempts), 0) as bigint) as attempts
    from spine
    left join {{ ref("int_funnel_counts") }} as counts
        on
            spine.funnel_id = counts.funnel_id
            and spine.grain = counts.grain
            and spine.source = counts.source
            and spine.start_date = counts.start_date
            and counts.max_step >= spine.step
    group by spine.funnel_id, spine.grain, spine.source, spine.step, spine.step_name, spine.start_date
),

compared as (
    select
        funnel_id,
        grain,
        source,
        step,
        step_name,
        attempts,
        first_value(attempts) over (
            partition by funnel_id, grain, start_date, source order by step
            rows between unbounded preceding and current row
        ) as started_attempts,
        lag(attempts) over (partition by funnel_id, grain, start_date, source order by step) as previous_attempts,
        start_date
    from counted
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    funnel_id,
    grain,
    source,
    cast(step as integer) as step,
    step_name,
    attempts,
    {{ ratio("attempts", "started_attempts") }} as conversion_rate,
    {{ ratio("attempts", "previous_attempts") }} as step_rate,
    {{ days_between("start_date", as_of_date()) }} >= {{ var("funnel_window_days") }} as is_complete,
    start_date
from compared
