{#- Grain: customer in a segment that a rule of the catalogue finds, as of D.
    One select a segment: each reads only the columns of its own rule and facts, and the table is cut by column.
    Definition: docs/definitions/segments.md; how a rule is read: macros/segments.sql -#}
{{ config(schema="intermediate", materialized="view") }}
{%- set measures = segment_measures() -%}
{%- set segments = proven_segments(segment_catalogue(), measures) | selectattr("model", "equalto", "rules") | list %}

{% for segment in segments -%}
select
    cast('{{ segment["segment_id"] }}' as varchar) as segment_id,
    customer_key,
    {{ facts_json(segment["facts"], measures) }} as reason
from {{ ref("int_customer_measures") }}
where
    {{ segment["conditions"] | join("\n    and ") }}
union all
{% endfor -%}
-- Nobody: so that the list above may be of any length.
select
    cast('' as varchar) as segment_id,
    customer_key,
    cast('' as varchar) as reason
from {{ ref("int_customer_measures") }}
where false
