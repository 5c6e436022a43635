{#- Grain: shop x kind of stage x customer x spell (entered_on).
    When customers entered and left each stage, by the dates that were built; a spell without exited_on is open.
    Definition: docs/definitions/stages.md. It has memory: see macros/memory.sql; a full refresh keeps it. -#}
{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key=["stage_kind", "customer_key", "entered_on"],
    on_schema_change="fail",
    full_refresh=false,
    pre_hook=[
        "{{ forget_rows_after_previous_build('entered_on') }}",
        "{{ reopen_spells_ended_after_previous_build() }}",
    ],
) }}

with stages as (
    select 'aipl' as stage_kind, customer_key, aipl_stage as stage
    from {{ ref("fct_customer_stages") }}
    where aipl_stage is not null
    union all
    select 'lifecycle' as stage_kind, customer_key, lifecycle_stage as stage
    from {{ ref("fct_customer_stages") }}
),

open_spells as (
    {% if is_incremental() -%}
    select stage_kind, customer_key, stage, entered_on
    from {{ this }}
    where exited_on is null
    {%- else -%}
    select stage_kind, customer_key, stage, {{ as_of_date() }} as entered_on
    from stages
    where false
    {%- endif %}
),

-- Whoever stands where they stood is not written again: a build writes what moved.
moved as (
    select
        coalesce(stages.stage_kind, open_spells.stage_kind) as stage_kind,
        coalesce(stages.customer_key, open_spells.customer_key) as customer_key,
        open_spells.stage as from_stage,
        stages.stage as to_stage,
        open_spells.entered_on as from_entered_on
    from stages
    full outer join open_spells
        on stages.stage_kind = open_spells.stage_kind and stages.customer_key = open_spells.customer_key
    where stages.stage is distinct from open_spells.stage
),

spells as (
    select stage_kind, customer_key, from_stage as stage, from_entered_on as entered_on, {{ as_of_date() }} as exited_on
    from moved
    where from_stage is not null
    union all
    select stage_kind, customer_key, to_stage as stage, {{ as_of_date() }} as entered_on, cast(null as date) as exited_on
    from moved
    where to_stage is not null
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    cast(stage_kind as varchar) as stage_kind,
    customer_key,
    cast(stage as varchar) as stage,
    entered_on,
    exited_on
from spells
