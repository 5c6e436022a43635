{#-
    Grain: one visitor whose link differs from the build before (new, changed or gone): its earlier days belong to
    somebody else now. All linked visitors in a full build.
-#}
select distinct visitor_id
from {{ ref('int_visitor_link_changes') }}
where as_of_date > {{ previous_as_of_date() }}
