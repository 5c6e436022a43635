{#- JSON text with a fixed order of keys: the same facts give the same bytes. -#}

{#- A JSON object, as text, from pairs [('name', 'expression'), …]. -#}
{% macro json_object_text(pairs) -%}
    {{ return(adapter.dispatch("json_object_text", "renqun")(pairs)) }}
{%- endmacro %}

{% macro duckdb__json_object_text(pairs) -%}
    cast(json_object(
        {%- for name, expression in pairs %}
        '{{ name }}', {{ expression }}{{ "," if not loop.last }}
        {%- endfor %}
    ) as varchar)
{%- endmacro %}

{% macro default__json_object_text(pairs) -%}
    to_json(named_struct(
        {%- for name, expression in pairs %}
        '{{ name }}', {{ expression }}{{ "," if not loop.last }}
        {%- endfor %}
    ))
{%- endmacro %}

{#-
    A JSON array, as text, of objects over the rows of a group, in the order of `order_by` (a total order). Engines sort an
    array of records by their fields in turn, and quickly: let the pairs begin with what `order_by` names.
-#}
{% macro json_array_agg_text(pairs, order_by) -%}
    {{ return(adapter.dispatch("json_array_agg_text", "renqun")(pairs, order_by)) }}
{%- endmacro %}

{% macro duckdb__json_array_agg_text(pairs, order_by) -%}
    cast(to_json(list_sort(list(struct_pack(
        {%- for name, expression in pairs %}
        "{{ name }}" := {{ expression }}{{ "," if not loop.last }}
        {%- endfor %}
    )))) as varchar)
{%- endmacro %}

{% macro default__json_array_agg_text(pairs, order_by) -%}
    to_json(sort_array(collect_list(named_struct(
        {%- for name, expression in pairs %}
        '{{ name }}', {{ expression }}{{ "," if not loop.last }}
        {%- endfor %}
    ))))
{%- endmacro %}

{#- The distinct values of a group as a sorted list. -#}
{% macro sorted_list(expression) -%}
    {{ return(adapter.dispatch("sorted_list", "renqun")(expression)) }}
{%- endmacro %}

{% macro duckdb__sorted_list(expression) -%}
    list_sort(list(distinct {{ expression }}))
{%- endmacro %}

{% macro default__sorted_list(expression) -%}
    sort_array(collect_set({{ expression }}))
{%- endmacro %}

{#- The values of a group as a list in no certain order: for what is counted one by one afterwards. -#}
{% macro unsorted_list(expression) -%}
    {{ return(adapter.dispatch("unsorted_list", "renqun")(expression)) }}
{%- endmacro %}

{% macro duckdb__unsorted_list(expression) -%}
    list({{ expression }})
{%- endmacro %}

{% macro default__unsorted_list(expression) -%}
    collect_list({{ expression }})
{%- endmacro %}

{#- A text inside JSON, by its path ($.a.b); NULL where it is absent. -#}
{% macro json_text(json, path) -%}
    {{ return(adapter.dispatch("json_text", "renqun")(json, path)) }}
{%- endmacro %}

{% macro duckdb__json_text(json, path) -%}
    json_extract_string({{ json }}, '{{ path }}')
{%- endmacro %}

{% macro default__json_text(json, path) -%}
    get_json_object({{ json }}, '{{ path }}')
{%- endmacro %}

{#-
    The text value of a key in a JSON array of `{"key": …, "value": {"string_value": …}}`, as GA4 writes parameters. The
    array is small: all keys are looked at as a list, in the order of the parameters.
-#}
{% macro json_parameter(json, key) -%}
    {{ return(adapter.dispatch("json_parameter", "renqun")(json, key)) }}
{%- endmacro %}

{% macro duckdb__json_parameter(json, key) -%}
    json_extract_string(
        list_extract(
            json_extract({{ json }}, '$[*]'), list_position(json_extract_string({{ json }}, '$[*].key'), '{{ key }}')
        ),
        '$.value.string_value'
    )
{%- endmacro %}

{% macro default__json_parameter(json, key) -%}
    filter(
        from_json({{ json }}, 'array<struct<key: string, value: struct<string_value: string>>>'),
        parameter -> parameter.key = '{{ key }}'
    )[0].value.string_value
{%- endmacro %}

{#- The distinct values of a group as a sorted list, NULLs left out; empty where there is none. -#}
{% macro sorted_list_of_known(expression) -%}
    {{ return(adapter.dispatch("sorted_list_of_known", "renqun")(expression)) }}
{%- endmacro %}

{% macro duckdb__sorted_list_of_known(expression) -%}
    list_sort(list_filter(list(distinct {{ expression }}), lambda known: known is not null))
{%- endmacro %}

{% macro default__sorted_list_of_known(expression) -%}
    sort_array(collect_set({{ expression }}))
{%- endmacro %}
