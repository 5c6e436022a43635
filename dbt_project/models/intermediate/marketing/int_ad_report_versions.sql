{#-
    Grain: one row of an advertising report in one file (batch, row), kept for good, whatever the platform. What a platform does
    not tell is NULL; which rows are about the same thing is decided for each day anew in int_ad_reports_identified.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_pending',
    on_schema_change='fail'
) }}

{%- set texts = [
    'scene_id', 'campaign_id', 'ad_group_id', 'subject_id', 'item_id', 'keyword_id', 'creative_id', 'scene_name',
    'campaign_name', 'ad_group_name', 'item_name', 'keyword', 'audience_name', 'creative_name', 'placement',
    'effect_model', 'effect_scope', 'attribution_window',
] %}
{%- set direct = ['direct_attributed_order_count', 'direct_attributed_amount'] %}
{%- set presale = ['presale_order_count', 'presale_amount'] %}
{%- set told = {
    'wanxiangtai_reports': texts | reject('equalto', 'placement') | list + direct + presale,
    'zhitongche': ['campaign_id', 'ad_group_id', 'item_id', 'campaign_name', 'ad_group_name'] + direct + presale,
    'yinlimofang': [
        'item_id', 'creative_id', 'scene_name', 'campaign_name', 'item_name', 'audience_name', 'creative_name',
        'placement', 'effect_model'
    ] + presale,
    'google_ads': ['campaign_id', 'ad_group_id', 'campaign_name', 'ad_group_name', 'keyword'],
    'meta_ads': [
        'campaign_id', 'ad_group_id', 'creative_id', 'campaign_name', 'ad_group_name', 'creative_name',
        'attribution_window'
    ],
} %}

with

reports as (

    {% for name, model in ad_sources().items() -%}
    select
        '{{ name | replace("_reports", "") }}' as channel,
        report_level,
        {% for column in texts -%}
        {{ column if column in told[name] else "cast(null as varchar)" }} as {{ column }},
        {% endfor -%}
        impression_count,
        click_count,
        cost_amount,
        attributed_order_count,
        attributed_amount,
        {% for column in direct + presale -%}
        {{ column if column in told[name] else "cast(null as decimal(18, 6))" }} as {{ column }},
        {% endfor -%}
        first_date,
        last_date,
        _folder_date,
        _batch_id,
        _source_file,
        _source_row
    from {{ ref(model) }}
    where {{ pending_rows(name) }}
    {{ "union all" if not loop.last }}
    {% endfor %}

)

select * from reports
