{#-
    Per key, an expression over this relation equals an expression over another one; a key missing on one side
    and NULL against a value are failures.
-#}
{% test equal_totals(model, key, expression, other, other_expression, other_key=none) %}

with

ours as (
    select {{ key }} as total_key, {{ expression }} as total
    from {{ model }}
    group by 1
),

theirs as (
    select {{ other_key or key }} as total_key, {{ other_expression }} as total
    from {{ other }}
    group by 1
)

select
    coalesce(ours.total_key, theirs.total_key) as total_key,
    ours.total as our_total,
    theirs.total as their_total
from ours
full outer join theirs on ours.total_key = theirs.total_key
where ours.total is distinct from theirs.total

{% endtest %}
