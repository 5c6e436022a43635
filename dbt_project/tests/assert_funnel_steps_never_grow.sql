-- More attempts at a step than at the step before: some event served nobody's attempt, or a step was skipped.
with compared as (
    select
        funnel_id,
        grain,
        start_date,
        source,
        step,
        attempts,
        lag(attempts) over (partition by funnel_id, grain, start_date, source order by step) as previous_attempts
    from {{ ref("agg_funnel_steps__by_day_source") }}
)

select *
from compared
where step > 1 and (attempts <= previous_attempts) is distinct from true
