{#-
    The columns together name one row, and none of them is NULL: what a grain means. With `touched_by` (a model and
    its column that list what the build touched) only the rows whose `touched_key` it lists are looked at: the others
    were proven when they were built, and a day's proof must not cost what history costs.
-#}
{% test unique_combination(model, columns, touched_by=none, touched_column=none, touched_key=none) %}

select {{ columns | join(", ") }}, count(*) as row_count
from {{ model }}
{%- if touched_by %}
where {{ touched_key }} in (select touched.{{ touched_column or touched_key }} from {{ ref(touched_by) }} as touched)
{%- endif %}
group by {{ columns | join(", ") }}
having count(*) > 1 {%- for column in columns %} or {{ column }} is null {%- endfor %}

{% endtest %}
