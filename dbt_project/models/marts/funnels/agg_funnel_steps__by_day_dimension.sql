{#- Grain: shop x funnel x grain x dimension x value x start date x step.
    How many attempts reached each step, by device and by category of their first event; dense, zeros included.
    Definition: docs/definitions/funnels.md -#}

with counted_values as (
    select dimension, dimension_value, sum(attempts) as attempts
    from {{ ref("int_funnel_counts") }}
    where dimension <> 'source'
    group by dimension, dimension_value
),

-- A shop may have thousands of categories: the most frequent ones have rows of their own.
ranked_values as (
    select
        dimension, dimension_value,
        row_number() over (partition by dimension order by attempts desc, dimension_value) as value_rank
    from counted_values
),

named_values as (
    select
        dimension, dimension_value,
        case
            when value_rank <= {{ var("funnel_dimension_values") }} then dimension_value
            else '{{ var("funnel_other_value") }}'
        end as told_value
    from ranked_values
),

dimension_values as (
    select distinct dimension, told_value as dimension_value, cast(null as varchar) as only_funnel_id
    from named_values
),

counts as (
    select
        counts.funnel_id, counts.grain, counts.dimension, named.told_value as dimension_value, counts.max_step, counts.attempts,
        counts.start_date
    from {{ ref("int_funnel_counts") }} as counts
    inner join named_values as named
        on counts.dimension = named.dimension and counts.dimension_value = named.dimension_value
),

{{ funnel_steps_by_day_ctes() }}

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    funnel_id,
    grain,
    dimension,
    dimension_value,
    cast(step as integer) as step,
    step_name,
    attempts,
    {{ ratio("attempts", "started_attempts") }} as conversion_rate,
    {{ ratio("attempts", "previous_attempts") }} as step_rate,
    {{ days_between("start_date", as_of_date()) }} >= window_days as is_complete,
    start_date
from compared
