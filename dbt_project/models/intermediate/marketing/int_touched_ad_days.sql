{#-
    Grain: one business date up to D whose advertising figures this build computes anew: a file that no finished build
    consumed tells of it (late conversions too), or it was still to come when the last build ran.
-#}
with

versions as (

    select first_date, last_date, _batch_id from {{ ref('int_ad_report_versions') }}

)

select distinct first_date as business_date
from versions
where
    first_date = last_date
    and first_date <= {{ as_of_date() }}
    {%- if not is_full_build() %}
    and ({{ of_pending_batches(ad_source_names()) }} or first_date > {{ previous_as_of_date() }})
    {%- endif %}
