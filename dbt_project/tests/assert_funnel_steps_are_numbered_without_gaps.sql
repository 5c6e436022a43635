-- A funnel whose steps are not 1, 2, 3, … could never be completed.
select funnel_id, min(step) as first_step, max(step) as last_step, count(*) as step_count
from {{ ref("funnel_steps") }}
group by funnel_id
having min(step) <> 1 or max(step) <> count(*)
