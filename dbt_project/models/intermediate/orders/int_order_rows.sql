{#-
    Grain: one staged row that tells of an order: of its head, of one of its lines, or of both, whatever kind of export it
    is from. What a kind of export does not tell is NULL. See docs/adr/0011-heads-lines-refunds.md.
-#}
{{ config(materialized='view') }}

{%- set columns = {
    'order_id': 'varchar', 'line_id': 'varchar', 'customer_id': 'varchar', 'item_id': 'varchar',
    'category_id': 'varchar', 'item_name': 'varchar', 'status': 'varchar', 'coupon_codes': 'varchar', 'province': 'varchar',
    'city': 'varchar',
    'quantity': 'decimal(18, 6)', 'unit_price': 'decimal(18, 6)', 'line_payable_amount': 'decimal(18, 2)',
    'line_paid_amount': 'decimal(18, 2)',
    'refunded_amount': 'decimal(18, 2)', 'discount_amount': 'decimal(18, 6)', 'order_quantity': 'decimal(18, 6)',
    'order_paid_amount': 'decimal(18, 2)', 'order_refunded_amount': 'decimal(18, 2)', 'ordered_at': 'timestamp',
    'paid_at': 'timestamp', 'deposit_paid_at': 'timestamp', 'refunded_at': 'timestamp', 'signed_at': 'timestamp', 'exported_at': 'timestamp',
} %}
{%- set of_head = ['customer_id', 'province', 'city', 'order_paid_amount', 'status', 'ordered_at', 'paid_at'] %}
{%- set of_line = ['item_id', 'item_name', 'quantity', 'unit_price'] %}
{%- set told = {
    'orders': of_head + of_line + [
        'line_id', 'category_id', 'line_paid_amount', 'refunded_amount', 'discount_amount', 'refunded_at', 'signed_at',
        'exported_at'
    ],
    'taobao_orders': of_head + ['order_quantity', 'order_refunded_amount', 'deposit_paid_at', 'signed_at'],
    'taobao_order_items': of_line + [
        'line_id', 'line_payable_amount', 'line_paid_amount', 'refunded_amount', 'status', 'ordered_at', 'paid_at',
        'deposit_paid_at'
    ],
    'shopify_orders': of_head + of_line + ['coupon_codes', 'discount_amount', 'order_refunded_amount'],
    'woocommerce_orders': [
        'coupon_codes', 'order_paid_amount', 'order_refunded_amount', 'status', 'ordered_at', 'order_quantity'
    ],
    'amazon_orders': of_line + ['province', 'city', 'status', 'ordered_at', 'line_paid_amount', 'discount_amount'],
} %}

{% for name, kind in order_sources().items() -%}
select
    {% for column, type in columns.items() -%}
    {% if column == 'order_id' or column in told[name] -%}
    {{ column }},
    {% else -%}
    cast(null as {{ type }}) as {{ column }},
    {% endif -%}
    {% endfor -%}
    '{{ name }}' as source,
    '{{ kind["platform"] }}' as platform,
    {{ kind['is_head'] }} as is_head,
    {{ kind['is_line'] }} as is_line,
    {{ kind['is_partial'] }} as is_partial,
    {{ kind['lacks_pay_time'] }} as lacks_pay_time,
    _folder_date,
    _exported_at,
    _batch_id,
    _source_file,
    _source_row,
    _raw_file
from {{ ref(kind['model']) }}
{{ "union all" if not loop.last }}
{% endfor %}
