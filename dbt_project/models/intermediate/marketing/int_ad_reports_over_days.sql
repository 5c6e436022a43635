{#-
    Grain: one row of an advertising report that is about several days, in one file. It has no day, so no mart has it:
    the report has to be downloaded by day. The staging gate counts such rows when their file comes, and warns.
-#}
select
    channel,
    report_level,
    campaign_name,
    cost_amount,
    first_date,
    last_date,
    _batch_id,
    _source_file,
    _source_row
from {{ ref('int_ad_report_versions') }}
where last_date is distinct from first_date
