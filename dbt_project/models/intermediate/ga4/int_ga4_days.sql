{#-
    Grain: one day of GA4 that a file tells of (day, batch). GA4 writes a day anew for up to three days: the newest export
    of a day counts as a whole. All files of one folder are parts of one export.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_pending',
    on_schema_change='fail'
) }}

select distinct
    ga4_date,
    _folder_date,
    _batch_id
from {{ ref('stg_ga4__events') }}
where {{ pending_rows('ga4_events') }}
