{#- What the order models share. -#}

{#-
    The kinds of export that tell of orders, and what each tells. `is_partial`: sellers choose the columns, so an empty
    cell may mean that nobody asked. `lacks_pay_time`: the format has no pay time, and the status has to say it.
-#}
{% macro order_sources() -%}
    {{ return({
        "orders": {
            "model": "stg_generic__order_lines", "platform": "generic", "is_head": true, "is_line": true,
            "is_partial": false, "lacks_pay_time": false,
        },
        "taobao_orders": {
            "model": "stg_taobao__orders", "platform": "taobao", "is_head": true, "is_line": false,
            "is_partial": true, "lacks_pay_time": false,
        },
        "taobao_order_items": {
            "model": "stg_taobao__order_items", "platform": "taobao", "is_head": false, "is_line": true,
            "is_partial": true, "lacks_pay_time": false,
        },
        "shopify_orders": {
            "model": "stg_shopify__orders", "platform": "shopify", "is_head": true, "is_line": true,
            "is_partial": false, "lacks_pay_time": false,
        },
        "woocommerce_orders": {
            "model": "stg_woocommerce__orders", "platform": "woocommerce", "is_head": true, "is_line": false,
            "is_partial": false, "lacks_pay_time": true,
        },
        "amazon_orders": {
            "model": "stg_amazon__orders", "platform": "amazon", "is_head": true, "is_line": true,
            "is_partial": false, "lacks_pay_time": true,
        },
    }) }}
{%- endmacro %}

{#- The names of these kinds of export. -#}
{% macro order_source_names() -%}
    {{ return(renqun.order_sources().keys() | list) }}
{%- endmacro %}

{#- A status text in one form: blanks around it, full-width commas and capitals make no other status. -#}
{% macro normal_status(text) -%}
    lower(replace(trim({{ text }}), '，', ','))
{%- endmacro %}

{#- Whether a refund's money counts: only what succeeded was given back. The platform's text and its code. -#}
{% macro has_refund_succeeded(status) -%}
    coalesce(upper(trim({{ status }})) in ('退款成功', 'SUCCESS'), false)
{%- endmacro %}

{#-
    Whether of a presale only the deposit is paid: a pay time beside it is the deposit's, and a deposit is no payment.
    The platform's code (step_trade_status) and its words.
-#}
{% macro is_deposit_only(stages) -%}
    coalesce({{ stages }} like '%FINAL_NOPAID%' or {{ stages }} like '%尾款未付%', false)
{%- endmacro %}

{#-
    The first part of a Chinese delivery address (`province city district street`), by its place from 1; NULL where the
    address is not written in such parts.
-#}
{% macro address_part(address, place) -%}
    case when {{ address }} like '% % %' then nullif(split_part({{ address }}, ' ', {{ place }}), '') end
{%- endmacro %}

{#-
    CTEs `first_step`, `floored`, `ranked` and `shared`: an amount in whole cents shared out by weight with the largest
    remainder. Everyone gets the floor of their share, and the cents still left go to the largest remainders, ties by
    line order. `open_lines` must have the `keys` (columns that name what is shared), `line_key`, `line_number`,
    `open_cents`, `weight`, `total_weight`; `shared` has the keys, `line_key` and `shared_cents`.
-#}
{% macro largest_remainder_ctes(open_lines, keys) -%}
{%- set base = 1000000000 -%}
{%- set key_list = keys | join(", ") -%}
split_up as (

    select
        *,
        {{ renqun.floor_div("open_cents", base) }} as high_cents,
        {{ renqun.floor_mod("open_cents", base) }} as low_cents
    from {{ open_lines }}

),

-- cents x weight would not always fit an exact integer: divide in two steps, as by hand.
first_step as (

    select
        *,
        {{ renqun.floor_div("high_cents * weight", "total_weight") }} as high_share,
        {{ renqun.floor_mod("high_cents * weight", "total_weight") }} * {{ base }} + low_cents * weight as carried
    from split_up

),

floored as (

    select
        {{ key_list }},
        line_key,
        line_number,
        open_cents,
        high_share * {{ base }} + {{ renqun.floor_div("carried", "total_weight") }} as floor_cents,
        {{ renqun.floor_mod("carried", "total_weight") }} as remainder
    from first_step

),

ranked as (

    select
        *,
        open_cents - sum(floor_cents) over (partition by {{ key_list }}) as cents_left,
        row_number() over (partition by {{ key_list }} order by remainder desc, line_number) as remainder_rank
    from floored

),

shared as (

    select
        {{ key_list }},
        line_key,
        floor_cents + case when remainder_rank <= cents_left then 1 else 0 end as shared_cents
    from ranked

)
{%- endmacro %}

{#- Whether an order still waits for the payment of a customer: recent, not paid, not closed. -#}
{% macro is_unpaid_order() -%}
    (
        not is_paid
        and customer_key is not null
        and ordered_date > {{ renqun.add_days(renqun.as_of_date(), -var("unpaid_order_days")) }}
        and not coalesce({{ renqun.in_literals("status_code", var("closed_status_codes")) }}, false)
    )
{%- endmacro %}

{#- What a line costs by its list price, `unit_price x quantity - discount_amount`, rounded half up to the cent. -#}
{% macro line_list_amount() -%}
    {%- set trillionths -%}
        ({{ renqun.to_millionths("unit_price") }} * {{ renqun.to_millionths("quantity") }}
        - {{ renqun.to_millionths("coalesce(discount_amount, 0)") }} * 1000000)
    {%- endset -%}
    {{ renqun.from_cents(renqun.round_to_cents(trillionths)) }}
{%- endmacro %}
