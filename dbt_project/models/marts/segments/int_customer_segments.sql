{#- Grain: customer inside a segment as of D.
    A customer's segments as a list of their numbers: who counts customers by segment joins people once, not memberships.
    Definition: docs/definitions/segments.md -#}
{{ config(schema="intermediate", materialized="table") }}

select
    members.customer_key,
    {{ unsorted_list("segments.segment_number") }} as segment_numbers
from {{ ref("int_segment_members") }} as members
inner join {{ ref("dim_segments") }} as segments on members.segment_id = segments.segment_id
group by members.customer_key
