{#-
    Grain: one category that events name, or one item of events that name none, ever. A number for it, given once and kept.
    An item's own category may change: which one it is is asked when categories are counted.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    full_refresh=false
) }}
{{ numbered('category_number', ['category_id', 'item_id'], category_acts(['category_id', 'item_id'])) }}
-- Depends on {{ ref('int_events') }}, and on {{ ref('int_touched_visitor_days') }} for the touched dates.
