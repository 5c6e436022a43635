{#- Like `unique_combination`, for relations whose grain has a column that may be NULL (NULL is a value here). -#}
{% test unique_rows(model, columns, never_null=[], touched_by=none, touched_column=none, touched_key=none) %}

{{ renqun.rows_that_break_the_grain(model, columns, [], never_null, touched_by, touched_column, touched_key) }}

{% endtest %}
