-- The attempts of the kept dates and the first step of the aggregate are the same attempts.
with attempts_by_date as (
    select funnel_id, grain, start_date, source, count(*) as attempts
    from {{ ref("fct_funnel_attempts") }}
    group by funnel_id, grain, start_date, source
),

first_steps as (
    select funnel_id, grain, start_date, source, attempts
    from {{ ref("agg_funnel_steps__by_day_source") }}
    where
        step = 1
        and attempts > 0
        and start_date >= {{ add_days(as_of_date(), 1 - var("funnel_attempts_keep_days")) }}
)

select funnel_id, grain, start_date, source, attempts_by_date.attempts, first_steps.attempts as step_attempts
from attempts_by_date
full outer join first_steps using (funnel_id, grain, start_date, source)
where attempts_by_date.attempts is distinct from first_steps.attempts
