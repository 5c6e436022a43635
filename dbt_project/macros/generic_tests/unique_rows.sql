{#- Like `unique_combination`, for relations whose grain has a column that may be NULL (NULL is a value here). -#}
{% test unique_rows(model, columns, touched_by=none, touched_column=none, touched_key=none) %}

select {{ columns | join(", ") }}, count(*) as row_count
from {{ model }}
{%- if touched_by %}
where {{ touched_key }} in (select touched.{{ touched_column or touched_key }} from {{ ref(touched_by) }} as touched)
{%- endif %}
group by {{ columns | join(", ") }}
having count(*) > 1

{% endtest %}
