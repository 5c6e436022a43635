{#-
    Grain: one business date up to D whose figures by item this build computes anew: a file that no finished
    build consumed tells of it, or it was still to come when the last build ran.
-#}
with

versions as (

    select business_date, _batch_id from {{ ref('int_item_traffic_versions') }}

)

select distinct business_date
from versions
where
    business_date <= {{ as_of_date() }}
    {%- if not is_full_build() %}
    and ({{ of_pending_batches('sycm_items') }} or business_date > {{ previous_as_of_date() }})
    {%- endif %}
