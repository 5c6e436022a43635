-- Every segment of the catalogue has a row on the date of the build.
select segments.segment_id
from {{ ref("segments") }} as segments
left join {{ ref("agg_segment_sizes__by_day") }} as sizes
    on segments.segment_id = sizes.segment_id and sizes.as_of_date = {{ as_of_date() }}
where sizes.segment_id is null
