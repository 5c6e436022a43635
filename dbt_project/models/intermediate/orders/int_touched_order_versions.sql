{#-
    Grain: one export of an order that this build touches, the newest first. `version_rank` ranks the exports of the head:
    1 counts, as a whole; exports that tell of no head stand behind all that do. `line_version_rank` ranks the exports of
    the lines likewise. Of two equally new ones, the one from the file whose name sorts last.
-#}
-- Depends on {{ ref('int_touched_orders') }} and {{ ref('int_identifier_customers') }}.

{%- set newest_first = 'exported_at desc, _source_file desc, _folder_date desc, _batch_id desc' %}

with

order_versions as (

    select * from {{ ref('int_order_versions') }}
    {%- if not is_full_build() %}
    where order_id in (select touched.order_id from {{ ref('int_touched_orders') }} as touched)
    {%- endif %}

),

records as (

    select order_id, open_uid, member_id, phone_hash, email_hash, _batch_id from {{ ref('int_identity_records') }}
    where order_id is not null

),

{% for kind in identifier_kinds() -%}
{{ kind }}s as (

    select * from {{ customers_by(kind) }} as owners

),

{% endfor -%}

-- The buyer as an export tells it: by its strongest identifier that belongs to somebody.
versions as (

    select
        order_versions.*,
        coalesce(
            {% for kind in identifier_kinds() -%}
            {{ kind }}s.customer_key{{ "," if not loop.last }}
            {% endfor %}
        ) as customer_key,
        case
            {% for kind, trust in identifier_kinds().items() -%}
            when {{ kind }}s.customer_key is not null then {{ trust }}
            {% endfor %}
        end as customer_trust
    from order_versions
    left join records
        on order_versions.order_id = records.order_id and order_versions._batch_id = records._batch_id
    {% for kind in identifier_kinds() -%}
    left join {{ kind }}s on records.{{ kind }} = {{ kind }}s.identifier_value
    {% endfor %}
)

select
    -- ids
    order_id,
    customer_id,
    customer_key,

    -- strings
    platform,
    status,
    status_code,
    coupon_codes,
    province,
    city,

    -- numerics
    order_quantity,
    order_paid_amount,
    order_refunded_amount,
    customer_trust,
    row_number() over (
        partition by order_id
        order by case when is_head then 0 else 1 end, {{ newest_first }}
    ) as version_rank,
    row_number() over (
        partition by order_id
        order by case when is_line then 0 else 1 end, {{ newest_first }}
    ) as line_version_rank,

    -- booleans
    is_head,
    is_line,
    is_partial,
    is_paid_by_status,

    -- dates
    ordered_date,
    paid_date,
    deposit_paid_date,
    signed_date,
    order_refunded_date,

    -- timestamps
    ordered_at,
    paid_at,
    deposit_paid_at,
    signed_at,
    exported_at,

    -- metadata
    _batch_id

from versions
