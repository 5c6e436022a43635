{#- Grain: shop x kind of stage x built date x stage at the build before x stage now; only what has customers.
    How many customers moved from where to where; who stayed is on the diagonal.
    Definition: docs/definitions/stages.md. It has memory: see macros/memory.sql; a full refresh keeps it. -#}
{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key=["stage_kind", "as_of_date", "from_stage", "to_stage"],
    on_schema_change="fail",
    full_refresh=false,
    pre_hook="{{ forget_rows_after_previous_build('as_of_date') }}",
) }}

-- Every customer with a stage then or now: at most one spell that ended today, at most one that is open.
with moves as (
    select
        stage_kind,
        customer_key,
        coalesce(max(case when entered_on < {{ as_of_date() }} then stage end), '(new)') as from_stage,
        coalesce(max(case when exited_on is null then stage end), '(lost)') as to_stage
    from {{ ref("fct_customer_stage_spells") }}
    where exited_on is null or exited_on = {{ as_of_date() }}
    group by stage_kind, customer_key
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    stage_kind,
    cast(from_stage as varchar) as from_stage,
    cast(to_stage as varchar) as to_stage,
    count(*) as customers,
    {{ as_of_date() }} as as_of_date,
    {% if run_date("previous_as_of_date") -%}
    {{ previous_as_of_date() }}
    {%- else -%}
    cast(null as date)
    {%- endif %} as previous_as_of_date
from moves
group by stage_kind, from_stage, to_stage
