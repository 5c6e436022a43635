{#- Grain: business date x item with an event: views, and how many visitors there were and put it into the cart.
    Definition: docs/definitions/affinity.md -#}
{{ config(
    schema="intermediate",
    materialized="incremental",
    incremental_strategy="replace_dates",
    touched_key="event_date",
    on_schema_change="fail",
) }}
-- Depends on {{ ref("int_touched_visitor_days") }} for the touched dates.

select
    item_id,
    count(case when event_type = 'view' then 1 end) as view_count,
    count(distinct visitor_id) as visitor_count,
    count(distinct case when event_type = 'cart' then visitor_id end) as cart_visitor_count,
    event_date
from {{ ref("fct_events") }}
where
    item_id is not null and event_date <= {{ as_of_date() }}
    {%- if adds_to_history() %}
    and {{ in_literals("event_date", touched_event_dates()) }}
    {%- endif %}
group by item_id, event_date
