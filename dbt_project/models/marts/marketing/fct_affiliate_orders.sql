{#-
    Grain: one order line for which a commission was settled on or before D, by its latest settlement.
    What affiliates cost, by the date of settlement; orders placed by the shop itself (补单/刷单) are left out.
    Definition: docs/definitions/marketing.md
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_touched',
    touched_by='int_touched_affiliate_orders',
    touched_key='order_id',
    on_schema_change='fail'
) }}
{{ require_full_work_tables() }}

with

versions as (

    select * from {{ ref('int_affiliate_settlement_versions') }}
    where
        settled_date <= {{ as_of_date() }}
        and order_id in (select touched.order_id from {{ ref('int_touched_affiliate_orders') }} as touched)
        and order_id not in (select excluded.order_id from {{ ref('int_excluded_orders') }} as excluded)

),

ranked as (

    select
        *,
        row_number() over (
            partition by order_id, line_id
            order by settled_at desc, {{ newest_file() }}, _source_row desc
        ) as version_rank
    from versions

)

select
    -- ids
    '{{ var("shop_id") }}' as shop_id,
    order_id,
    line_id,
    item_id,
    affiliate_id,

    -- strings
    item_name,
    campaign_name,
    '{{ var("currency") }}' as currency_code,

    -- numerics
    quantity,
    deal_amount,
    commission_amount,
    coalesce(service_fee_amount, 0) as service_fee_amount,
    cast(commission_amount + coalesce(service_fee_amount, 0) as decimal(18, 2)) as cost_amount,
    {{ ratio('commission_amount', 'deal_amount') }} as commission_rate,

    -- booleans
    is_unpaid_presale,

    -- dates
    settled_date,

    -- timestamps
    ordered_at,
    confirmed_at,
    settled_at

from ranked
where version_rank = 1
