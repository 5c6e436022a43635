{#- Grain: shop x funnel x grain x start date x step, from the second.
    How long it took from the step before, median and p90 of the attempts that reached the step; dense.
    Definition: docs/definitions/funnels.md -#}

with {{ funnel_day_ctes() }}

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    spine.funnel_id,
    spine.grain,
    cast(spine.step as integer) as step,
    cast(coalesce(times.reached_attempts, 0) as bigint) as reached_attempts,
    times.median_seconds,
    times.p90_seconds,
    {{ days_between("spine.start_date", as_of_date()) }} >= spine.window_days as is_complete,
    spine.start_date
from funnel_days as spine
left join {{ ref("int_funnel_step_times") }} as times
    on
        spine.funnel_id = times.funnel_id and spine.grain = times.grain and spine.step = times.step
        and spine.start_date = times.start_date
where spine.step > 1
