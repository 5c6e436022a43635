{#-
    Grain: one identifier whose person a build made another (build, identifier); null before: it was unknown; null after: it
    is nobody's any more. The newest row of an identifier is the key that was published for it.
    It has memory: see macros/memory.sql and docs/adr/0012-keys-follow-people.md; a full refresh keeps it.
-#}
{{ config(
    schema='vault',
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    full_refresh=false,
    pre_hook="{{ forget_rows_of_unfinished_builds('as_of_date') }}"
) }}
{%- set nothing = "(select identifier_key, customer_key, cast(null as bigint) as build_number from identifiers where false)" %}
{%- set history = this if is_incremental() else nothing ~ " as nothing" %}

with

identifiers as (

    select identifier_key, customer_key from {{ ref('int_identifier_customers') }}
    {%- if adds_to_history() %}
    where clustered_on > {{ previous_as_of_date() }}
    {%- endif %}

),

newest_first as (

    select
        identifier_key,
        customer_key,
        row_number() over (partition by identifier_key order by build_number desc) as record_rank
    from {{ history }}
    {%- if adds_to_history() %}
    where identifier_key in (select identifiers.identifier_key from identifiers)
    {%- endif %}

),

recorded as (

    select identifier_key, customer_key from newest_first
    where record_rank = 1

),

builds as (

    select coalesce(max(build_number), 0) + 1 as build_number from {{ history }}

),

changed as (

    select
        coalesce(identifiers.identifier_key, recorded.identifier_key) as identifier_key,
        recorded.customer_key as previous_customer_key,
        identifiers.customer_key
    from identifiers
    full outer join recorded on identifiers.identifier_key = recorded.identifier_key
    where identifiers.customer_key is distinct from recorded.customer_key

),

moves as (

    select distinct previous_customer_key, customer_key from changed
    where previous_customer_key is not null and customer_key is not null

),

counted as (

    select
        *,
        count(*) over (partition by previous_customer_key) as target_count,
        count(*) over (partition by customer_key) as origin_count
    from moves

),

-- A key that still names somebody lost a part; one that named somebody before took another in.
judged as (

    select
        previous_customer_key,
        customer_key,
        case
            when target_count > 1 or previous_customer_key in (select identifiers.customer_key from identifiers)
                then 'split'
            when origin_count > 1 or customer_key in (select recorded.customer_key from recorded)
                then 'merge'
            else 'rename'
        end as change
    from counted

)

select
    -- ids
    changed.identifier_key,
    changed.previous_customer_key,
    changed.customer_key,
    cast('{{ build_id() }}' as varchar) as build_id,

    -- strings
    judged.change,

    -- numerics
    cast(builds.build_number as bigint) as build_number,

    -- dates
    {{ as_of_date() }} as as_of_date

from changed
cross join builds
left join judged
    on changed.previous_customer_key = judged.previous_customer_key and changed.customer_key = judged.customer_key
