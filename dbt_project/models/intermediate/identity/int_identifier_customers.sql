{#-
    Grain: one identifier, and the person it belongs to: connected components over the links, run to convergence. The key
    of a person is that of its minimal identifier by first raw date, trust and value. Null: in quarantine, nobody's.
    Definition: docs/definitions/people.md
-#}
{{ config(
    schema='vault',
    materialized='incremental',
    incremental_strategy='replace_keys',
    unique_key='identifier_key',
    on_schema_change='fail',
    post_hook="{{ drop_components(this.schema ~ '.identity_') }}"
) }}
{{ cluster_identifiers(this.schema ~ '.identity_') }}
-- Depends on {{ ref('int_identifier_links') }}.

with

identifiers as (

    select * from {{ ref('int_identifiers') }}

),

nodes as (

    select identifier_key, label, is_quarantined from {{ identity_nodes() }}

),

roots as (

    select label, root from {{ identity_roots() }}

),

clustered as (

    select
        nodes.identifier_key,
        case when not nodes.is_quarantined then persons.identifier_key end as customer_key
    from nodes
    left join roots on nodes.label = roots.label
    inner join nodes as persons on coalesce(roots.root, nodes.label) = persons.label

)

select
    -- ids
    identifiers.identifier_key,
    clustered.customer_key,
    identifiers.identifier_kind,
    identifiers.identifier_value,

    -- dates
    {{ as_of_date() }} as clustered_on,
    {% if adds_to_history() -%}
    case
        when before.customer_key is distinct from clustered.customer_key and before.identifier_key is not null
            then {{ as_of_date() }}
        else before.rekeyed_on
    end as rekeyed_on
    {%- else -%}
    cast(null as date) as rekeyed_on
    {%- endif %}

from clustered
inner join identifiers on clustered.identifier_key = identifiers.identifier_key
{% if adds_to_history() -%}
left join {{ this }} as before on clustered.identifier_key = before.identifier_key
{%- endif %}
