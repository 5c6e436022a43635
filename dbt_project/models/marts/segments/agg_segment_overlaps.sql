{#- Grain: shop x as-of date x segment x other segment.
    How many customers are in both; dense over the catalogue, zeros and the segment with itself included.
    Definition: docs/definitions/segments.md -#}

with customers_by_segment as (
    select segment_numbers, {{ explode_array("segment_numbers") }} as segment_number
    from {{ ref("int_customer_segments") }}
),

pairs as (
    select segment_number, {{ explode_array("segment_numbers") }} as other_segment_number
    from customers_by_segment
),

customers_in_both as (
    select segment_number, other_segment_number, count(*) as customers
    from pairs
    group by segment_number, other_segment_number
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    {{ as_of_date() }} as as_of_date,
    segments.segment_id,
    other_segments.segment_id as other_segment_id,
    coalesce(customers_in_both.customers, 0) as customers,
    coalesce(sizes.customers, 0) as segment_customers,
    {{ ratio("coalesce(customers_in_both.customers, 0)", "sizes.customers") }} as segment_share
from {{ ref("dim_segments") }} as segments
cross join {{ ref("dim_segments") }} as other_segments
left join customers_in_both
    on
        segments.segment_number = customers_in_both.segment_number
        and other_segments.segment_number = customers_in_both.other_segment_number
left join customers_in_both as sizes
    on segments.segment_number = sizes.segment_number and segments.segment_number = sizes.other_segment_number
