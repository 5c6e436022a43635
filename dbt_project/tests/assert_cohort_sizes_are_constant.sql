-- A cohort is who bought first in a month; its size is the same in every period.
select cohort_month, min(cohort_size) as smallest, max(cohort_size) as largest
from {{ ref("agg_cohort_retention__by_month") }}
group by cohort_month
having min(cohort_size) is distinct from max(cohort_size)
