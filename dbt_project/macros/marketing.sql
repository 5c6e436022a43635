{#- What the marketing models share. -#}

{#- The kinds of export that tell what advertisements cost and brought, and the staging model of each. -#}
{% macro ad_sources() -%}
    {{ return({
        "wanxiangtai_reports": "stg_wanxiangtai__reports",
        "zhitongche": "stg_zhitongche__reports",
        "yinlimofang": "stg_yinlimofang__reports",
        "google_ads": "stg_google_ads__reports",
        "meta_ads": "stg_meta_ads__reports",
    }) }}
{%- endmacro %}

{#- Their names. -#}
{% macro ad_source_names() -%}
    {{ return(renqun.ad_sources().keys() | list) }}
{%- endmacro %}

{#- Whole days of an attribution window as a platform writes it (`15天`, `7-day click …`); NULL where it tells none. -#}
{% macro window_days(text) -%}
    cast(case
        when length(regexp_extract({{ text }}, '[0-9]+', 0)) between 1 and 3
            then regexp_extract({{ text }}, '[0-9]+', 0)
    end as integer)
{%- endmacro %}

{#- What every staging model of an advertising report ends with: measures, the day or days, where the row is from. -#}
{% macro ad_measures(clicks="clicks") -%}
    cast(impressions as decimal(18, 0)) as impression_count,
    cast({{ clicks }} as decimal(18, 0)) as click_count,
    cast(cost as decimal(18, 2)) as cost_amount,
    cast(attributed_orders as decimal(18, 6)) as attributed_order_count,
    cast(attributed_amount as decimal(18, 2)) as attributed_amount
{%- endmacro %}
