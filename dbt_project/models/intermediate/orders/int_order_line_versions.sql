{#-
    Grain: one line of one export of an order (batch, order, line). Rows with the same line id are one line, the
    last row. A row without one is a line of its own, known by its position among the order's rows.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_pending',
    on_schema_change='fail'
) }}

with

order_lines as (

    select * from {{ ref('int_order_rows') }}
    where is_line and {{ pending_rows(order_source_names()) }}

),

positioned as (

    select
        *,
        row_number() over (partition by _batch_id, order_id order by _source_row) as line_position,
        coalesce(max(exported_at) over (partition by _batch_id, order_id), _exported_at) as version_exported_at
    from order_lines

),

-- `#2` is the second row's key; a line id that begins with # gets another one, so that the two cannot meet.
keyed as (

    select
        *,
        case
            when line_id is null then concat('#', cast(line_position as varchar))
            when line_id like '#%' then concat('#', line_id)
            else line_id
        end as line_key,
        coalesce(refunded_at, version_exported_at) as effective_refunded_at
    from positioned

),

ranked as (

    select
        *,
        row_number() over (partition by _batch_id, order_id, line_key order by _source_row desc) as line_rank
    from keyed

),

lines as (

    select
        *,
        {{ to_millionths('unit_price') }} * {{ to_millionths('quantity') }} as list_trillionths,
        {{ to_millionths('line_payable_amount') }} * 1000000 as payable_trillionths
    from ranked
    where line_rank = 1

),

-- Where all lines of an order cost the same at different list prices, the amount is the order's, repeated: no line's own.
compared as (

    select
        *,
        count(*) over (partition by _batch_id, order_id) > 1
        and count(line_payable_amount) over (partition by _batch_id, order_id)
        = count(*) over (partition by _batch_id, order_id)
        and min(line_payable_amount) over (partition by _batch_id, order_id)
        = max(line_payable_amount) over (partition by _batch_id, order_id)
        and min(list_trillionths) over (partition by _batch_id, order_id)
        < max(list_trillionths) over (partition by _batch_id, order_id) as is_payable_repeated
    from lines

)

select
    -- ids
    order_id,
    line_key,
    item_id,
    category_id,

    -- strings
    item_name,

    -- numerics
    row_number() over (partition by _batch_id, order_id order by _source_row) as line_number,
    quantity,
    unit_price,
    coalesce(
        discount_amount,
        case
            when not is_payable_repeated and list_trillionths >= payable_trillionths
                then {{ from_millionths(floor_div('list_trillionths - payable_trillionths', '1000000')) }}
        end
    ) as discount_amount,
    line_paid_amount,
    refunded_amount,

    -- booleans
    is_partial,

    -- dates
    case when refunded_amount > 0 then {{ business_date('effective_refunded_at') }} end as refunded_date,

    -- timestamps
    case when refunded_amount > 0 then effective_refunded_at end as refunded_at,
    version_exported_at as exported_at,

    -- metadata
    _folder_date,
    _batch_id,
    _source_file

from compared
