{#- Grain: business date x traffic source with an event.
    Which sources brought traffic when; `agg_funnel_steps__by_day_source` is dense over them.
    Definition: docs/definitions/funnels.md -#}
{{ config(
    schema="intermediate",
    materialized="incremental",
    incremental_strategy="append",
    on_schema_change="fail",
    pre_hook="{{ delete_touched('event_date in (select touched_date from ' ~ ref('int_touched_dates') ~ ')') }}",
) }}

select distinct
    coalesce(source, '{{ var("funnel_unknown_source") }}') as source,
    event_date
from {{ ref("fct_events") }}
where
    event_date <= {{ as_of_date() }}
    {% if adds_to_history() -%}
    and event_date in (select touched_date from {{ ref("int_touched_dates") }})
    {%- endif %}
