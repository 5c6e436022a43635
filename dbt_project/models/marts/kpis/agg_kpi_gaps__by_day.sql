{#- Grain: shop x day x measure that both the platform and we tell x reason.
    How the platform's figure comes from ours: what is known to be counted otherwise, and what nobody can explain.
    Definition: docs/definitions/kpis.md -#}
{%- set reasons = [
    ("paid_amount", "excluded_orders"), ("paid_amount", "presale"), ("paid_amount", "postage"),
    ("paid_amount", "refunds"), ("orders_paid", "excluded_orders"), ("orders_paid", "presale"),
] %}

with compared as (
    select business_date, measure, platform, our_value, platform_value
    from {{ ref("agg_shop_kpis__reconciled") }}
    where measure in ('orders_paid', 'paid_amount') and our_value is not null and platform_value is not null
),

-- A presale whose export has the pay time of the deposit: a later day's export still said that it is not paid.
told_unpaid as (
    select order_id, max(_folder_date) as unpaid_until
    from {{ ref("int_order_versions") }}
    where platform = 'taobao' and not is_paid_by_status
    group by order_id
),

told_paid as (
    select told_unpaid.order_id, told_unpaid.unpaid_until, min(versions._folder_date) as balance_date
    from told_unpaid
    inner join {{ ref("int_order_versions") }} as versions on told_unpaid.order_id = versions.order_id
    where versions.is_paid_by_status and versions._folder_date > told_unpaid.unpaid_until
    group by told_unpaid.order_id, told_unpaid.unpaid_until
),

presales as (
    select orders.paid_amount, orders.paid_date, told_paid.balance_date
    from {{ ref("fct_orders") }} as orders
    inner join told_paid on orders.order_id = told_paid.order_id and orders.paid_date < told_paid.unpaid_until
),

-- Ours lie on the day of the deposit, the platform's on the day of the balance.
presale_moves as (
    select paid_date as business_date, -1 as order_count, -paid_amount as amount from presales
    union all
    select balance_date as business_date, 1 as order_count, paid_amount as amount from presales
),

-- An order whose lines no file has told yet has no postage that anybody knows.
postage as (
    select paid_date, sum(unallocated_amount) as amount
    from {{ ref("fct_orders") }}
    where is_paid and line_count > 0
    group by paid_date
),

known as (
    {% for measure, moved, excluded in [
        ("orders_paid", "order_count", "excluded_order_count"), ("paid_amount", "amount", "excluded_paid_amount")
    ] -%}
    select business_date, '{{ measure }}' as measure, 'presale' as reason, sum({{ moved }}) as amount
    from presale_moves
    group by business_date
    union all
    select paid_date, '{{ measure }}' as measure, 'excluded_orders' as reason, {{ excluded }} as amount
    from {{ ref("int_excluded_orders_by_day") }}
    union all
    {% endfor -%}
    select paid_date, 'paid_amount' as measure, 'postage' as reason, amount
    from postage
    union all
    select business_date, 'paid_amount' as measure, 'refunds' as reason, refunded_amount as amount
    from {{ ref("agg_shop_kpis__by_day") }}
),

reasons as (
    {% for measure, reason in reasons -%}
    select '{{ measure }}' as measure, '{{ reason }}' as reason, {{ var("platform_gap_factors")[reason] }} as factor
    {{ "union all" if not loop.last }}
    {% endfor %}
),

explained as (
    select
        compared.business_date,
        compared.measure,
        compared.platform,
        compared.our_value,
        compared.platform_value,
        reasons.reason,
        cast(coalesce(known.amount, 0) as decimal(18, 2)) as known_amount,
        cast(reasons.factor * coalesce(known.amount, 0) as decimal(18, 2)) as amount
    from compared
    inner join reasons on compared.measure = reasons.measure
    left join known
        on
            compared.business_date = known.business_date and reasons.measure = known.measure
            and reasons.reason = known.reason
),

gaps as (
    select business_date, measure, platform, reason, known_amount, amount
    from explained
    union all
    select
        business_date,
        measure,
        platform,
        'unexplained' as reason,
        cast(null as decimal(18, 2)) as known_amount,
        platform_value - our_value - sum(amount) as amount
    from explained
    group by business_date, measure, platform, our_value, platform_value
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    cast(measure as varchar) as measure,
    cast(platform as varchar) as platform,
    cast(reason as varchar) as reason,
    known_amount,
    cast(amount as decimal(18, 2)) as amount,
    business_date
from gaps
