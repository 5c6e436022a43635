{#- Two shares and two means, compared: the formulas of agg_audience_lift, each once. All in double, from whole numbers. -#}

{#- A quotient of two whole numbers; NULL where there is nothing to divide by. -#}
{% macro share_of(part, whole) -%}
    cast({{ part }} as double) / nullif(cast({{ whole }} as double), 0)
{%- endmacro %}

{#- The ends of Wilson's score interval of a share `part` / `whole`, never beyond 0 and 1; `z` is a number. -#}
{% macro wilson_low(part, whole, z) -%}
    greatest(0, {{ renqun.wilson_center(part, whole, z) }} - {{ renqun.wilson_half(part, whole, z) }})
{%- endmacro %}

{% macro wilson_high(part, whole, z) -%}
    least(1, {{ renqun.wilson_center(part, whole, z) }} + {{ renqun.wilson_half(part, whole, z) }})
{%- endmacro %}

{% macro wilson_center(part, whole, z) -%}
    (cast({{ part }} as double) + {{ z * z / 2 }}) / (cast({{ whole }} as double) + {{ z * z }})
{%- endmacro %}

{% macro wilson_half(part, whole, z) -%}
    {{ z }} * sqrt(
        cast({{ part }} as double) * (cast({{ whole }} as double) - cast({{ part }} as double))
        / nullif(cast({{ whole }} as double), 0) + {{ z * z / 4 }}
    ) / (cast({{ whole }} as double) + {{ z * z }})
{%- endmacro %}

{#- How far an end of Newcombe's interval lies from the difference: the two Wilson ends that lead there, square added. -#}
{% macro newcombe_reach(rate, end, other_rate, other_end) -%}
    sqrt(
        ({{ rate }} - {{ end }}) * ({{ rate }} - {{ end }})
        + ({{ other_rate }} - {{ other_end }}) * ({{ other_rate }} - {{ other_end }})
    )
{%- endmacro %}

{#-
    The variance of a mean of amounts, from their number, the sum of their cents and of the squares of these: the sample
    variance by their number. The difference of two large numbers is taken in whole ones. NULL below two.
-#}
{% macro variance_of_mean(customers, cents, square_cents) -%}
    cast({{ customers }} * {{ square_cents }} - {{ cents }} * {{ cents }} as double) / 10000
    / nullif(cast({{ customers }} as double) * {{ customers }} * ({{ customers }} - 1), 0)
{%- endmacro %}
