{#-
    Grain: one visitor and the ids of a customer that its events name (null: none), ever. A number for them, given once and
    kept: a year of days is joined and grouped by numbers, which takes a fraction of what three texts take.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    full_refresh=false
) }}
{{ numbered(
    'visitor_number',
    ['visitor_id', 'customer_id', 'open_uid'],
    category_acts(['visitor_id', 'customer_id', 'open_uid'])
) }}
-- Depends on {{ ref('int_events') }}, and on {{ ref('int_touched_visitor_days') }} for the touched dates.
