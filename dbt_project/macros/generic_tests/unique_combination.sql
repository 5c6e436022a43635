{#- The columns together name one row, and none of them is NULL: what a grain means. -#}
{% test unique_combination(model, columns) %}

select {{ columns | join(", ") }}, count(*) as row_count
from {{ model }}
group by {{ columns | join(", ") }}
having count(*) > 1 {%- for column in columns %} or {{ column }} is null {%- endfor %}

{% endtest %}
