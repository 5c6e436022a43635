{#- Grain: shop x funnel x grain x start date x source x step.
    How many attempts reached each step, by the source of their first event; dense, zeros included.
    Definition: docs/definitions/funnels.md -#}

with counts as (
    select funnel_id, grain, 'source' as dimension, dimension_value, max_step, attempts, start_date
    from {{ ref("int_funnel_counts") }}
    where dimension = 'source'
),

-- Every source that brought traffic, not only those that began an attempt. What no event names, of orders that begin a
-- funnel, is no source of the funnels that begin with traffic.
dimension_values as (
    select distinct 'source' as dimension, source as dimension_value, cast(null as varchar) as only_funnel_id
    from {{ ref("int_traffic_sources_seen") }}
    union all
    select distinct dimension, dimension_value, funnel_id as only_funnel_id
    from counts
    where dimension_value not in (select seen.source from {{ ref("int_traffic_sources_seen") }} as seen)
),

{{ funnel_steps_by_day_ctes() }}

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    funnel_id,
    grain,
    dimension_value as source,
    cast(step as integer) as step,
    step_name,
    attempts,
    {{ ratio("attempts", "started_attempts") }} as conversion_rate,
    {{ ratio("attempts", "previous_attempts") }} as step_rate,
    {{ days_between("start_date", as_of_date()) }} >= window_days as is_complete,
    start_date
from compared
