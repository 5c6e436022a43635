{#- Grain: shop x built date x segment of the catalogue.
    How many customers are inside, entered and left; dense, zeros included.
    Definition: docs/definitions/segments.md. It has memory: see macros/memory.sql; a full refresh keeps it. -#}
{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key=["as_of_date", "segment_id"],
    on_schema_change="fail",
    full_refresh=false,
    pre_hook="{{ forget_rows_after_previous_build('as_of_date') }}",
) }}

with members as (
    select {{ explode_array("segment_numbers") }} as segment_number
    from {{ ref("int_customer_segments") }}
),

members_by_number as (
    select segment_number, count(*) as customers
    from members
    group by segment_number
),

members_by_segment as (
    select segments.segment_id, members_by_number.customers
    from members_by_number
    inner join {{ ref("dim_segments") }} as segments on members_by_number.segment_number = segments.segment_number
),

-- From the spells, not from the members: so that yesterday + entered - exited = today can fail.
moves_by_segment as (
    select
        segment_id,
        sum(case when entered_on = {{ as_of_date() }} then 1 else 0 end) as entered,
        sum(case when exited_on = {{ as_of_date() }} then 1 else 0 end) as exited
    from {{ ref("fct_segment_memberships") }}
    where entered_on = {{ as_of_date() }} or exited_on = {{ as_of_date() }}
    group by segment_id
),

accepted_sources as (
    select distinct {{ generic_source('source') }} as source
    from {{ source("ops", "batches") }}
    where ds <= {{ as_of_date() }}
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    {{ as_of_date() }} as as_of_date,
    segments.segment_id,
    coalesce(members_by_segment.customers, 0) as customers,
    cast(coalesce(moves_by_segment.entered, 0) as bigint) as entered,
    cast(coalesce(moves_by_segment.exited, 0) as bigint) as exited,
    accepted_sources.source is not null as is_applicable
from {{ ref("segments") }} as segments
left join members_by_segment on segments.segment_id = members_by_segment.segment_id
left join moves_by_segment on segments.segment_id = moves_by_segment.segment_id
left join accepted_sources on segments.needs_source = accepted_sources.source
