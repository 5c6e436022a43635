{#- Grain: shop x as-of date x base date x model x parameter.
    What the predictions rest on: parameters per day and in the shop's currency, or why there are none.
    Definition: docs/definitions/value.md -#}

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    {{ as_of_date() }} as as_of_date,
    {{ add_days(as_of_date(), "-base_age_days") }} as base_date,
    model,
    parameter,
    cast(case when reason <> '' then reason end as varchar) as reason,
    customers,
    round(case when reason = '' then value end, 6) as value,
    round(case when reason = '' then log_likelihood end, 3) as log_likelihood,
    reason = '' as is_fitted
from {{ ref("int_value_parameters") }}
