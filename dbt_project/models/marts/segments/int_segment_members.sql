{#- Grain: shop x segment x customer inside as of D.
    Every segment's members with the facts that put them in; the memberships' memory is in fct_segment_memberships. A view:
    only memberships read the reasons, all others read who is inside, which costs no texts (int_customer_segments).
    Definition: docs/definitions/segments.md -#}
{{ config(schema="intermediate", materialized="view") }}

with operating_members as (
    select segment_id, customer_key, reason
    from {{ ref("int_segment_members__interest") }}
    union all
    select segment_id, customer_key, reason
    from {{ ref("int_segment_members__new_customer") }}
    union all
    select segment_id, customer_key, reason
    from {{ ref("int_segment_members__repurchase") }}
),

key_operating_members as (
    select customer_key, {{ sorted_list("segment_id") }} as segment_ids
    from operating_members
    group by customer_key
),

members as (
    select segment_id, customer_key, reason
    from operating_members
    union all
    select 'key_operating' as segment_id, customer_key, {{ json_object_text([("segments", "segment_ids")]) }} as reason
    from key_operating_members
    union all
    select segment_id, customer_key, reason
    from {{ ref("int_segment_members__rfm") }}
    union all
    select segment_id, customer_key, reason
    from {{ ref("int_segment_members__rules") }}
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    cast(segment_id as varchar) as segment_id,
    customer_key,
    reason
from members
