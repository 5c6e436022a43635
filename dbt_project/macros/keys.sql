{#- Keys. One macro a key, so that two models can never build the same key in two ways. -#}

{#-
    A hash over several values. Each value is written with its length, so that ('a', 'bc') and ('ab', 'c') differ,
    and NULL differs from the empty text.
-#}
{% macro surrogate_key(expressions) -%}
    md5(concat(
        {%- for expression in expressions %}
        case
            when {{ expression }} is null then '-'
            else concat(cast(length(cast({{ expression }} as varchar)) as varchar), ':', cast({{ expression }} as varchar))
        end, ';'
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    ))
{%- endmacro %}

{#- A customer id that identifies: a masked nick (张**) is nobody in particular. -#}
{% macro unmasked(customer_id) -%}
    case when {{ customer_id }} not like '%*%' then {{ customer_id }} end
{%- endmacro %}

{#- 63 bits of a stable hash, to find candidates quickly; what is found is always compared in full. -#}
{% macro lookup_hash(text) -%}
    {{ return(adapter.dispatch("lookup_hash", "renqun")(text)) }}
{%- endmacro %}

{% macro duckdb__lookup_hash(text) -%}
    cast(md5_number_lower({{ text }}) >> 1 as bigint)
{%- endmacro %}

{% macro default__lookup_hash(text) -%}
    xxhash64({{ text }})
{%- endmacro %}

{#- The key of an event: its own id, else what identifies its row (see int_event_versions). -#}
{% macro event_key() -%}
    case when event_id is not null then concat('id:', event_id) else concat('row:', row_key) end
{%- endmacro %}
