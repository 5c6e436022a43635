{#- Every row fulfils the expression; NULL is a failure, unlike in a plain `where not (…)`. -#}
{% test expression_holds(model, expression, where="true") %}

select *
from {{ model }}
where ({{ where }}) and ({{ expression }}) is distinct from true

{% endtest %}
