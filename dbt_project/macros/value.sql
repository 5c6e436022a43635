{#- What customers are worth: what the marts of value have in common. -#}

{#- The parameters of Gamma-Gamma, one row a base; NULL where the model is not fitted. -#}
{% macro gamma_gamma_parameters() -%}
    select
        base_age_days,
        {%- for parameter in ["p", "q", "v"] %}
        max(case when parameter = '{{ parameter }}' and reason = '' then value end) as {{ parameter }}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ ref("int_value_parameters") }}
    where model = 'gamma_gamma'
    group by base_age_days
{%- endmacro %}

{#-
    The amount to expect of a further deal day, given what all repeat deal days brought: between the customer's own
    average and everybody's. As `renqun.value.gamma_gamma.expected_average`, where x times m is the sum.
-#}
{% macro expected_average(repeats, parameters) -%}
    {{ parameters }}.p * ({{ parameters }}.v + cast({{ repeats }}.repeat_amount as double))
    / ({{ parameters }}.p * {{ repeats }}.repeat_deal_days + {{ parameters }}.q - 1)
{%- endmacro %}
