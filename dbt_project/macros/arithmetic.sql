{#- Exact integer arithmetic: shares and scores must agree to the last digit on every engine. -#}

{#- The widest exact integer type of the engine. -#}
{% macro big_integer() -%}
    {{ return(adapter.dispatch("big_integer", "renqun")()) }}
{%- endmacro %}

{% macro duckdb__big_integer() -%} hugeint {%- endmacro %}

{% macro default__big_integer() -%} decimal(38, 0) {%- endmacro %}

{#- The remainder of floor division, never negative; the divisor is a positive integer. -#}
{% macro floor_mod(dividend, divisor) -%}
    ((({{ dividend }}) % ({{ divisor }}) + ({{ divisor }})) % ({{ divisor }}))
{%- endmacro %}

{#- Floor division of integers (-7 by 2 is -4); the divisor is a positive integer. Engines truncate towards zero. -#}
{% macro floor_div(dividend, divisor) -%}
    {{ return(adapter.dispatch("floor_div", "renqun")(dividend, divisor)) }}
{%- endmacro %}

{% macro duckdb__floor_div(dividend, divisor) -%}
    ((({{ dividend }}) - {{ renqun.floor_mod(dividend, divisor) }}) // ({{ divisor }}))
{%- endmacro %}

{% macro default__floor_div(dividend, divisor) -%}
    ((({{ dividend }}) - {{ renqun.floor_mod(dividend, divisor) }}) div ({{ divisor }}))
{%- endmacro %}

{#- An amount in whole cents. -#}
{% macro to_cents(amount) -%}
    cast(cast({{ amount }} as decimal(38, 2)) * 100 as {{ renqun.big_integer() }})
{%- endmacro %}

{#- Whole cents as an amount. -#}
{% macro from_cents(cents) -%}
    cast(cast({{ cents }} as decimal(18, 0)) * 0.01 as decimal(18, 2))
{%- endmacro %}

{#- An exact number (at most six decimals) in whole millionths. -#}
{% macro to_millionths(number) -%}
    cast(cast({{ number }} as decimal(38, 6)) * 1000000 as {{ renqun.big_integer() }})
{%- endmacro %}

{#- Whole millionths as an exact number. -#}
{% macro from_millionths(millionths) -%}
    cast(cast({{ millionths }} as decimal(18, 0)) * 0.000001 as decimal(18, 6))
{%- endmacro %}

{#- Whole units of 10^-12 rounded to whole cents, halves away from zero. -#}
{% macro round_to_cents(trillionths) -%}
    (case when {{ trillionths }} < 0 then -1 else 1 end * {{ renqun.floor_div(
        "abs(" ~ trillionths ~ ") + 5000000000", "10000000000"
    ) }})
{%- endmacro %}
