{#-
    Grain: one day of one thing that a platform reports on (campaign, ad group, item, keyword, audience, creative or placement)
    by one way of attributing orders, as the newest file tells it. Orders are the platform's claim, not the shop's.
    Definition: docs/definitions/marketing.md
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_touched',
    touched_by='int_touched_ad_days',
    touched_key='business_date',
    on_schema_change='fail'
) }}
{{ require_full_work_tables() }}
-- Depends on {{ ref('int_touched_ad_days') }}: these days are replaced.

with

reports as (

    select * from {{ ref('int_ad_reports_current') }}

)

select
    -- ids
    '{{ var("shop_id") }}' as shop_id,
    {{ surrogate_key(['ad_entity_key', 'attribution_key']) }} as ad_key,
    campaign_id,
    ad_group_id,
    item_id,
    creative_id,

    -- strings
    channel,
    report_level,
    scene_name,
    campaign_name,
    ad_group_name,
    item_name,
    keyword,
    audience_name,
    creative_name,
    placement,
    effect_model,
    effect_scope,
    attribution_window,
    '{{ var("currency") }}' as currency_code,

    -- numerics
    attribution_window_days,
    impression_count,
    click_count,
    cost_amount,
    attributed_order_count,
    attributed_amount,
    cast(direct_attributed_order_count as decimal(18, 6)) as direct_attributed_order_count,
    cast(direct_attributed_amount as decimal(18, 2)) as direct_attributed_amount,
    cast(presale_order_count as decimal(18, 6)) as presale_order_count,
    cast(presale_amount as decimal(18, 2)) as presale_amount,
    {{ ratio('click_count', 'impression_count') }} as click_rate,
    {{ ratio('attributed_order_count', 'click_count') }} as orders_per_click,
    {{ ratio('cost_amount', 'click_count') }} as cost_per_click,
    {{ ratio('attributed_amount', 'cost_amount') }} as amount_per_cost,

    -- booleans
    is_in_total,

    -- dates
    first_date as business_date

from reports
