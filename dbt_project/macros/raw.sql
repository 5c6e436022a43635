{#- What staging says about every raw relation, said once. -#}

{#- Every kind of export, and the staging model that has its sound rows: none may vanish between the two. -#}
{% macro staged_models() -%}
    {{ return({
        "orders": "stg_generic__order_lines",
        "taobao_orders": "stg_taobao__orders",
        "taobao_order_items": "stg_taobao__order_items",
        "taobao_refunds": "stg_taobao__refunds",
        "taobao_excluded_orders": "stg_taobao__excluded_orders",
        "shopify_orders": "stg_shopify__orders",
        "woocommerce_orders": "stg_woocommerce__orders",
        "amazon_orders": "stg_amazon__orders",
        "traffic_events": "stg_generic__events",
        "ga4_events": "stg_ga4__events",
        "traffic_sources": "stg_generic__traffic_sources",
        "sycm_items": "stg_sycm__items",
        "sycm_shop_sources": "stg_sycm__shop_sources",
        "sycm_shop_daily": "stg_sycm__shop_daily",
        "wanxiangtai_reports": "stg_wanxiangtai__reports",
        "zhitongche": "stg_zhitongche__reports",
        "yinlimofang": "stg_yinlimofang__reports",
        "google_ads": "stg_google_ads__reports",
        "meta_ads": "stg_meta_ads__reports",
        "taobaoke_settlements": "stg_taobaoke__settlements",
        "taobaoke_overview": "stg_taobaoke__overview",
        "members": "stg_generic__members",
        "shopify_customers": "stg_shopify__customers",
        "consent": "stg_generic__consents",
        "suppressions": "stg_generic__suppressions",
    }) }}
{%- endmacro %}

{#- The rows that a build may see: sound ones, of exports dated on or before D. -#}
{% macro accepted_rows(folder_date) -%}
    _quarantine_reason is null and {{ folder_date }} <= {{ renqun.as_of_date() }}
{%- endmacro %}

{#- Where a row comes from; last in every staging model. -#}
{% macro row_origin(folder_date) -%}
    {{ folder_date }} as _folder_date,
    _exported_at,
    _batch_id,
    _source_file,
    _source_row,
    _content_hash,
    _raw_file
{%- endmacro %}

{#-
    A phone number in one form: digits only, mainland numbers with their country code (+86138…); one that says its
    country code keeps it. Full-width digits are digits. A masked number (138****) reaches nobody.
-#}
{% macro canonical_phone(text) -%}
    {%- set narrow = "translate(" ~ text ~ ", '０１２３４５６７８９＋＊', '0123456789+*')" -%}
    {%- set digits = "regexp_replace(" ~ narrow ~ ", '[^0-9]', '', 'g')" -%}
    case
        when {{ narrow }} like '%*%' then null
        when coalesce({{ digits }}, '') = '' then null
        when {{ narrow }} like '%+%' then concat('+', {{ digits }})
        when {{ digits }} like '1__________' then concat('+86', {{ digits }})
        when {{ digits }} like '00%' then concat('+', substr({{ digits }}, 3))
        else concat('+', {{ digits }})
    end
{%- endmacro %}

{#- An e-mail address in one form. A masked one reaches nobody. -#}
{% macro canonical_email(text) -%}
    case when {{ text }} not like '%*%' then nullif(lower(trim({{ text }})), '') end
{%- endmacro %}

{#- The first non-empty value of a column by row of the file: how a field of a whole order is told line by line. -#}
{% macro first_given(column) -%}
    min_by({{ column }}, case when {{ column }} is not null then _source_row end)
{%- endmacro %}
