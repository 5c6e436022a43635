{#- Grain: shop x segment x customer x spell (entered_on).
    When customers entered and left each segment, by the dates that were built; a spell without exited_on is open.
    Definition: docs/definitions/segments.md. It has memory: see macros/memory.sql; a full refresh keeps it. -#}
{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key=["segment_id", "customer_key", "entered_on"],
    on_schema_change="append_new_columns",
    full_refresh=false,
    pre_hook=[
        "{{ forget_rows_after_previous_build('entered_on') }}",
        "{{ reopen_spells_ended_after_previous_build() }}",
        "{{ move_spells_to_new_keys() }}",
    ],
) }}
{%- set measures = segment_measures() -%}
{%- set segments = proven_segments(segment_catalogue(), measures) %}

with members as (
    select segment_id, customer_key, reason
    from {{ ref("int_segment_members") }}
),

open_spells as (
    {% if is_incremental() -%}
    select segment_id, customer_key, reason, entered_reason, entered_on
    from {{ this }}
    where exited_on is null
    {%- else -%}
    select segment_id, customer_key, reason, reason as entered_reason, {{ as_of_date() }} as entered_on
    from members
    where false
    {%- endif %}
),

-- Still inside: the reason becomes that of today; a spell whose reason stands is not written again. Gone: the spell ends
-- today. Not seen before: a spell begins.
changed_spells as (
    select
        coalesce(members.segment_id, open_spells.segment_id) as segment_id,
        coalesce(members.customer_key, open_spells.customer_key) as customer_key,
        coalesce(members.reason, open_spells.entered_reason) as reason,
        coalesce(open_spells.entered_reason, members.reason) as entered_reason,
        members.customer_key is null as is_left,
        coalesce(open_spells.entered_on, {{ as_of_date() }}) as entered_on
    from members
    full outer join open_spells
        on members.segment_id = open_spells.segment_id and members.customer_key = open_spells.customer_key
    where members.reason is distinct from open_spells.reason
),

leavers as (
    select segment_id, customer_key
    from changed_spells
    where is_left
),

-- The facts of the segment on the day that they no longer put the customer in.
exit_reasons as (
    select
        leavers.segment_id,
        leavers.customer_key,
        case
            when measures.customer_key is null and persons.customer_key is not null
                then {{ json_object_text([
                    ("left_because", "'the same person as another customer'"), ("customer_key", "persons.customer_key")
                ]) }}
            when measures.customer_key is null
                then {{ json_object_text([("left_because", "'no customer of the shop any more'")]) }}
            {%- for same_facts in segments | groupby("facts") %}
            when leavers.segment_id in ('{{ same_facts.list | map(attribute="segment_id") | join("', '") }}')
                then {{ facts_json(same_facts.grouper, measures, "measures") }}
            {%- endfor %}
            else {{ json_object_text([("left_because", "'the segment is not in the catalogue any more'")]) }}
        end as exited_reason
    from leavers
    left join {{ ref("int_customer_measures") }} as measures on leavers.customer_key = measures.customer_key
    left join {{ ref("int_identifier_customers") }} as persons
        on leavers.customer_key = persons.identifier_key and leavers.customer_key <> persons.customer_key
)

-- Spells went on under changed keys before this (see macros/memory.sql).
select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    changed_spells.segment_id,
    changed_spells.customer_key,
    changed_spells.reason,
    changed_spells.entered_reason,
    exit_reasons.exited_reason,
    changed_spells.entered_on,
    case when changed_spells.is_left then {{ as_of_date() }} end as exited_on
from changed_spells
left join exit_reasons
    on changed_spells.segment_id = exit_reasons.segment_id and changed_spells.customer_key = exit_reasons.customer_key
