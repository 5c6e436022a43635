{#-
    Grain: one visitor whose link a build changed (visitor, as-of date of the build); null customer: linked no more.
    The newest row of a visitor is its link.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_after_previous',
    touched_key='as_of_date',
    on_schema_change='fail'
) }}

with

links as (

    select visitor_id, customer_key from {{ ref('int_visitor_links') }}

),

{% if adds_to_history() -%}

recorded as (

    select
        visitor_id,
        customer_key,
        row_number() over (partition by visitor_id order by as_of_date desc) as change_rank
    from {{ this }}
    where as_of_date <= {{ previous_as_of_date() }}

),

earlier_links as (

    select visitor_id, customer_key from recorded
    where change_rank = 1

),

changed as (

    select
        coalesce(links.visitor_id, earlier_links.visitor_id) as visitor_id,
        links.customer_key
    from links
    full outer join earlier_links on links.visitor_id = earlier_links.visitor_id
    where links.customer_key is distinct from earlier_links.customer_key

)

{%- else -%}

changed as (

    select visitor_id, customer_key from links

)

{%- endif %}

select
    visitor_id,
    customer_key,
    {{ as_of_date() }} as as_of_date
from changed
