{#- Grain: funnel x grain x start date x source x highest step.
    Attempts counted once and kept; only the dates that this build may have changed are counted again.
    Definition: docs/definitions/funnels.md -#}
{{ config(
    schema="intermediate",
    materialized="incremental",
    incremental_strategy="append",
    on_schema_change="fail",
    pre_hook="{{ delete_touched('start_date in (select start_date from ' ~ ref('int_funnel_count_dates') ~ ')') }}",
) }}

select
    funnel_id,
    grain,
    source,
    max_step,
    count(*) as attempts,
    start_date
from {{ ref("int_funnel_attempts") }}
{% if adds_to_history() -%}
where start_date in (select start_date from {{ ref("int_funnel_count_dates") }})
{%- endif %}
group by funnel_id, grain, source, max_step, start_date
