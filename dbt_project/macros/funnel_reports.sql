{#- What the reports of funnels by day share: every day and step has a row, zeros included. -#}

{#-
    CTE `funnel_days`: every step of every funnel and grain of the catalogue, on every date from the first event's to D. A funnel
    may begin with an order: its dates begin with its first attempt, where that is earlier.
-#}
{% macro funnel_day_ctes() -%}
    first_events as (
        select min(event_date) as first_date
        from {{ ref("int_traffic_sources_seen") }}
    ),

    first_attempts as (
        select funnel_id, grain, min(start_date) as first_date
        from {{ ref("int_funnel_counts") }}
        group by funnel_id, grain
    ),

    -- `least` leaves NULL out: a shop without traffic, a funnel that nobody began.
    dated_steps as (
        select distinct
            steps.funnel_id, steps.grain, steps.step, steps.step_name, steps.window_days,
            least(first_events.first_date, first_attempts.first_date) as first_date
        from {{ ref("int_funnel_step_types") }} as steps
        cross join first_events
        left join first_attempts on steps.funnel_id = first_attempts.funnel_id and steps.grain = first_attempts.grain
    ),

    exploded as (
        select *, {{ explode_days("first_date", as_of_date()) }} as start_at
        from dated_steps
    ),

    funnel_days as (
        select funnel_id, grain, step, step_name, window_days, cast(start_at as date) as start_date
        from exploded
    )
{%- endmacro %}

{#-
    CTE `compared`: attempts that reached each step, beside those that started and those that reached the step before, for
    every value of `dimension_values` (dimension, dimension_value, only_funnel_id: NULL is every funnel). `counts` has the
    attempts by highest step.
-#}
{% macro funnel_steps_by_day_ctes() -%}
    {{ funnel_day_ctes() }},

    spine as (
        select days.*, dimension_values.dimension, dimension_values.dimension_value
        from funnel_days as days
        inner join dimension_values
            on dimension_values.only_funnel_id is null or days.funnel_id = dimension_values.only_funnel_id
    ),

    -- An attempt that reached a step has reached those before it.
    reached as (
        select
            counts.funnel_id, counts.grain, counts.dimension, counts.dimension_value, steps.step, counts.start_date,
            sum(counts.attempts) as attempts
        from counts
        inner join {{ ref("funnel_steps") }} as steps on counts.funnel_id = steps.funnel_id and steps.step <= counts.max_step
        group by counts.funnel_id, counts.grain, counts.dimension, counts.dimension_value, steps.step, counts.start_date
    ),

    counted as (
        select spine.*, cast(coalesce(reached.attempts, 0) as bigint) as attempts
        from spine
        left join reached
            on
                spine.funnel_id = reached.funnel_id
                and spine.grain = reached.grain
                and spine.dimension = reached.dimension
                and spine.dimension_value = reached.dimension_value
                and spine.step = reached.step
                and spine.start_date = reached.start_date
    ),

    compared as (
        select
            *,
            first_value(attempts) over (
                partition by funnel_id, grain, start_date, dimension, dimension_value order by step
                rows between unbounded preceding and current row
            ) as started_attempts,
            lag(attempts) over (
                partition by funnel_id, grain, start_date, dimension, dimension_value order by step
            ) as previous_attempts
        from counted
    )
{%- endmacro %}
