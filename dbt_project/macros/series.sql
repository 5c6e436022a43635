{#- Rows out of values: calendars, numbers, lists. Dense marts are built on them. -#}

{#- One row per calendar day from `first_date` to `last_date`, both included; none where either is NULL. -#}
{% macro explode_days(first_date, last_date) -%}
    {{ return(adapter.dispatch("explode_days", "renqun")(first_date, last_date)) }}
{%- endmacro %}

{% macro duckdb__explode_days(first_date, last_date) -%}
    unnest(generate_series({{ first_date }}, {{ last_date }}, interval 1 day))
{%- endmacro %}

{% macro default__explode_days(first_date, last_date) -%}
    explode(sequence({{ first_date }}, {{ last_date }}, interval 1 day))
{%- endmacro %}

{#- One row per element of a text list `a|b|c`. -#}
{% macro explode_list(text) -%}
    {{ return(adapter.dispatch("explode_list", "renqun")(text)) }}
{%- endmacro %}

{% macro duckdb__explode_list(text) -%}
    unnest(string_split({{ text }}, '|'))
{%- endmacro %}

{% macro default__explode_list(text) -%}
    explode(split({{ text }}, '[|]'))
{%- endmacro %}

{#- The first day of the month of a date. -#}
{% macro month_of(date) -%}
    cast(date_trunc('month', {{ date }}) as date)
{%- endmacro %}

{#- Whole calendar months from the month of `from_date` to the month of `to_date`. -#}
{% macro months_between_months(from_date, to_date) -%}
    cast((extract(year from {{ to_date }}) * 12 + extract(month from {{ to_date }}))
        - (extract(year from {{ from_date }}) * 12 + extract(month from {{ from_date }})) as integer)
{%- endmacro %}

{#- The Monday of the week (ISO) of a date. -#}
{% macro week_of(date) -%}
    cast(date_trunc('week', {{ date }}) as date)
{%- endmacro %}

{#- A ratio of two totals, computed last; NULL where there is nothing to divide by. -#}
{% macro ratio(numerator, denominator) -%}
    case when {{ denominator }} > 0 then cast({{ numerator }} as double) / cast({{ denominator }} as double) end
{%- endmacro %}

{#-
    True for the row that is the discrete quantile `q` of its group, and for every row behind it: its share of the group,
    counted from the smallest, has reached q. The minimum over such rows is the quantile. Exact: q is a decimal, the rest integers.
-#}
{% macro has_reached_quantile(position, group_size, q) -%}
    {{ position }} >= cast({{ q }} as decimal(9, 6)) * {{ group_size }}
{%- endmacro %}

{#- One value of several fields [('name', 'expression'), …]; records compare field by field, in this order. -#}
{% macro record(pairs) -%}
    {{ return(adapter.dispatch("record", "renqun")(pairs)) }}
{%- endmacro %}

{% macro duckdb__record(pairs) -%}
    struct_pack(
        {%- for name, expression in pairs %}"{{ name }}" := {{ expression }}{{ ", " if not loop.last }}{% endfor -%}
    )
{%- endmacro %}

{% macro default__record(pairs) -%}
    named_struct(
        {%- for name, expression in pairs %}'{{ name }}', {{ expression }}{{ ", " if not loop.last }}{% endfor -%}
    )
{%- endmacro %}

{#- Aggregate: the value of the row whose `ordering` is smallest; `ordering` must be unique in the group. -#}
{% macro value_at_minimum(value, ordering) -%}
    {{ return(adapter.dispatch("value_at_minimum", "renqun")(value, ordering)) }}
{%- endmacro %}

{% macro duckdb__value_at_minimum(value, ordering) -%}
    arg_min({{ value }}, {{ ordering }})
{%- endmacro %}

{% macro default__value_at_minimum(value, ordering) -%}
    min_by({{ value }}, {{ ordering }})
{%- endmacro %}

{#- One row per element of a list. -#}
{% macro explode_array(list) -%}
    {{ return(adapter.dispatch("explode_array", "renqun")(list)) }}
{%- endmacro %}

{% macro duckdb__explode_array(list) -%}
    unnest({{ list }})
{%- endmacro %}

{% macro default__explode_array(list) -%}
    explode({{ list }})
{%- endmacro %}

{#- Aggregate: the list of the values, by the order of another column, which is unique in the group. -#}
{% macro list_by(value, ordering) -%}
    {{ return(adapter.dispatch("list_by", "renqun")(value, ordering)) }}
{%- endmacro %}

{% macro duckdb__list_by(value, ordering) -%}
    list({{ value }} order by {{ ordering }})
{%- endmacro %}

{% macro default__list_by(value, ordering) -%}
    transform(
        array_sort(collect_list(named_struct('place', {{ ordering }}, 'value', {{ value }}))), pair -> pair.value
    )
{%- endmacro %}

{#- The element of a list at a place from 1. -#}
{% macro list_at(list, place) -%}
    {{ return(adapter.dispatch("list_at", "renqun")(list, place)) }}
{%- endmacro %}

{% macro duckdb__list_at(list, place) -%}
    list_extract({{ list }}, {{ place }})
{%- endmacro %}

{% macro default__list_at(list, place) -%}
    element_at({{ list }}, {{ place }})
{%- endmacro %}
