{#-
    Every row fulfils the expression; NULL is a failure, unlike in a plain `where not (…)`. `touched_by` as in
    `unique_combination`.
-#}
{% test expression_holds(
    model, expression, where="true", touched_by=none, touched_column=none, touched_key=none
) %}

select *
from {{ model }}
where
    ({{ where }}) and ({{ expression }}) is distinct from true
    {%- if touched_by %}
    and {{ touched_key }} in (select touched.{{ touched_column or touched_key }} from {{ ref(touched_by) }} as touched)
    {%- endif %}

{% endtest %}
