{#-
    The newest value of a column in a group, rows without a value left aside. `order_by` is a total order of columns
    that are never NULL. One pass, unlike a ranking window over all rows.
-#}
{% macro latest(column, order_by) -%}
    {{ return(adapter.dispatch("latest", "renqun")(column, order_by)) }}
{%- endmacro %}

{% macro duckdb__latest(column, order_by) -%}
    max_by({{ column }}, case when {{ column }} is not null then row({{ order_by | join(", ") }}) end)
{%- endmacro %}

{% macro default__latest(column, order_by) -%}
    max_by({{ column }}, case when {{ column }} is not null then struct({{ order_by | join(", ") }}) end)
{%- endmacro %}
