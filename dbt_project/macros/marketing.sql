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

{#- The kinds of report from the coarsest to the finest. One that is by a finer thing tells the cost of the coarser again. -#}
{% macro ad_report_levels() -%}
    {{ return(["campaign", "ad_group", "item", "creative", "audience", "keyword", "placement"]) }}
{%- endmacro %}

{#- The place of a kind of report among them, from 1. -#}
{% macro ad_level_rank(level) -%}
    case {{ level }}
        {%- for name in renqun.ad_report_levels() %}
        when '{{ name }}' then {{ loop.index }}
        {%- endfor %}
    end
{%- endmacro %}

{#- The only value that a column has among the rows that agree on `by`; NULL where there are several, or none. -#}
{% macro only_value(column, by) -%}
    {%- set rows = "over (partition by " ~ by | join(", ") ~ ")" -%}
    case when min({{ column }}) {{ rows }} = max({{ column }}) {{ rows }} then min({{ column }}) {{ rows }} end
{%- endmacro %}

{#- An id; where the row has none, the only one that rows with the same name and `by` have. -#}
{% macro known_id(id, name, by) -%}
    coalesce({{ id }}, case when {{ name }} is not null then {{ renqun.only_value(id, by + [name]) }} end)
{%- endmacro %}

{#- Whether any row of the same file and day tells a value, as 1 or 0. -#}
{% macro is_told_by_file(value) -%}
    max(case when {{ value }} is not null then 1 else 0 end) over (partition by first_date, _batch_id)
{%- endmacro %}

{#-
    A value; where the row's file tells none at all, the only one that rows of the same campaign and `by` have in other
    files. In a file that tells it elsewhere, an empty cell says something: that the row is about none.
-#}
{% macro completed(value, by) -%}
    coalesce(
        {{ value }},
        case
            when campaign is not null and {{ renqun.is_told_by_file(value) }} = 0
                then {{ renqun.only_value(value, by + ["campaign"]) }}
        end
    )
{%- endmacro %}

{#- What an advertising report counts, with the decimals of each; all of it adds up over the parts of a breakdown. -#}
{% macro ad_report_decimals() -%}
    {{ return({
        "impression_count": 0, "click_count": 0, "cost_amount": 2, "attributed_order_count": 6, "attributed_amount": 2,
        "direct_attributed_order_count": 6, "direct_attributed_amount": 2, "presale_order_count": 6, "presale_amount": 2,
    }) }}
{%- endmacro %}

{#- The names of these figures. -#}
{% macro ad_report_measures() -%}
    {{ return(renqun.ad_report_decimals().keys() | list) }}
{%- endmacro %}
