{#-
    The columns together name one row, and none of them is NULL: what a grain means; nor are those of `never_null`, in the
    same pass. With `touched_by` (a model and its column that list what the build touched) only the rows whose
    `touched_key` it lists are looked at: the others were proven when they were built, and a day's proof must not cost what
    history costs.
-#}
{% test unique_combination(model, columns, never_null=[], touched_by=none, touched_column=none, touched_key=none) %}

{{ renqun.rows_that_break_the_grain(model, columns, columns, never_null, touched_by, touched_column, touched_key) }}

{% endtest %}

{#- Groups of more than one row, of a NULL in `required` (columns of the grain), or with a NULL in `never_null` (others). -#}
{% macro rows_that_break_the_grain(model, columns, required, never_null, touched_by, touched_column, touched_key) -%}
select {{ columns | join(", ") }}, count(*) as row_count
from {{ model }}
{%- if touched_by %}
where {{ touched_key }} in (select touched.{{ touched_column or touched_key }} from {{ ref(touched_by) }} as touched)
{%- endif %}
group by {{ columns | join(", ") }}
having
    count(*) > 1
    {%- for column in required %} or {{ column }} is null {%- endfor %}
    {%- for column in never_null %} or count({{ column }}) < count(*) {%- endfor %}
{%- endmacro %}
