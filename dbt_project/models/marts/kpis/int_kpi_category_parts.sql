{#- Grain: period x category.
    Pieces and money of a period by the category of the line, else of the item; money of no line is postage and rounding.
    Definition: docs/definitions/what-moved.md -#}
{{ config(schema="intermediate", materialized="table") }}

with days as (
    select * from {{ ref("int_kpi_periods") }}
),

lines as (
    select
        days.period_id,
        coalesce(lines.category_id, items.category_id, '(unknown)') as category_id,
        lines.quantity,
        lines.paid_amount
    from {{ ref("fct_order_lines") }} as lines
    inner join days on lines.paid_date = days.calendar_date
    left join {{ ref("dim_items") }} as items on lines.item_id = items.item_id
    where lines.is_paid
),

refunds as (
    select
        days.period_id,
        case
            when lines.order_id is null then '(postage and rounding)'
            else coalesce(lines.category_id, items.category_id, '(unknown)')
        end as category_id,
        refunds.refunded_amount
    from {{ ref("fct_refunds") }} as refunds
    inner join days on refunds.refunded_date = days.calendar_date
    left join {{ ref("fct_order_lines") }} as lines
        on refunds.order_id = lines.order_id and refunds.line_key = lines.line_key
    left join {{ ref("dim_items") }} as items on lines.item_id = items.item_id
),

parts as (
    select period_id, category_id, quantity, paid_amount, 0 as refunded_amount
    from lines
    union all
    -- What no line has: the orders' amount less their lines'.
    select days.period_id, '(postage and rounding)' as category_id, null, orders.paid_amount, 0
    from {{ ref("fct_orders") }} as orders
    inner join days on orders.paid_date = days.calendar_date
    where orders.is_paid
    union all
    select period_id, '(postage and rounding)' as category_id, null, -paid_amount, 0
    from lines
    union all
    select period_id, category_id, null, 0, refunded_amount
    from refunds
)

select
    period_id,
    category_id,
    case
        when category_id <> '(postage and rounding)' then cast(coalesce(sum(quantity), 0) as decimal(38, 6))
    end as item_quantity,
    cast(sum(paid_amount) as decimal(18, 2)) as paid_amount,
    cast(sum(refunded_amount) as decimal(18, 2)) as refunded_amount
from parts
group by period_id, category_id
