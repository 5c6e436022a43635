{#- Grain: business date with an event.
    Distinct visitors and views of a day, counted once and kept: only touched dates are counted again.
    Definition: docs/definitions/kpis.md -#}
{{ config(
    schema="intermediate",
    materialized="incremental",
    incremental_strategy="append",
    on_schema_change="fail",
    pre_hook="{{ delete_touched('event_date in (select touched_date from ' ~ ref('int_touched_dates') ~ ')') }}",
) }}

select
    event_date,
    count(distinct visitor_id) as visitors,
    cast(sum(view_count) as bigint) as views,
    count(distinct case when cart_count > 0 then visitor_id end) as cart_visitors,
    count(distinct case when favourite_count > 0 then visitor_id end) as favourite_visitors
from {{ ref("int_visitor_days") }}
where
    event_date <= {{ as_of_date() }}
    {% if adds_to_history() -%}
    and event_date in (select touched_date from {{ ref("int_touched_dates") }})
    {%- endif %}
group by event_date
