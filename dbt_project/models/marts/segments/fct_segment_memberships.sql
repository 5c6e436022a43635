{#- Grain: shop x segment x customer x spell (entered_on).
    When customers entered and left each segment, by the dates that were built; a spell without exited_on is open.
    Definition: docs/definitions/segments.md. It has memory: see macros/memory.sql; a full refresh keeps it. -#}
{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key=["segment_id", "customer_key", "entered_on"],
    on_schema_change="fail",
    full_refresh=false,
    pre_hook=[
        "{{ forget_rows_after_previous_build('entered_on') }}",
        "{{ reopen_spells_ended_after_previous_build() }}",
    ],
) }}

with members as (
    select segment_id, customer_key, reason
    from {{ ref("int_segment_members") }}
),

open_spells as (
    {% if is_incremental() -%}
    select segment_id, customer_key, entered_reason, entered_on
    from {{ this }}
    where exited_on is null
    {%- else -%}
    select segment_id, customer_key, reason as entered_reason, {{ as_of_date() }} as entered_on
    from members
    where false
    {%- endif %}
)

-- Still inside: the reason becomes that of today. Gone: the spell ends today. Not seen before: a spell begins.
select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    coalesce(members.segment_id, open_spells.segment_id) as segment_id,
    coalesce(members.customer_key, open_spells.customer_key) as customer_key,
    coalesce(members.reason, open_spells.entered_reason) as reason,
    coalesce(open_spells.entered_reason, members.reason) as entered_reason,
    coalesce(open_spells.entered_on, {{ as_of_date() }}) as entered_on,
    case when members.customer_key is null then {{ as_of_date() }} end as exited_on
from members
full outer join open_spells
    on members.segment_id = open_spells.segment_id and members.customer_key = open_spells.customer_key
