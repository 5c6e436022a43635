{#- Grain: funnel x grain x start date x dimension x value x highest step.
    Attempts counted once and kept; only the dates that this build may have changed are counted again.
    Definition: docs/definitions/funnels.md -#}
{{ config(
    schema="intermediate",
    materialized="incremental",
    incremental_strategy="append",
    on_schema_change="fail",
    pre_hook="{{ delete_touched('start_date in (select start_date from ' ~ ref('int_funnel_count_dates') ~ ')') }}",
) }}
{%- set unknown = "'" ~ var("funnel_unknown_source") ~ "'" %}

with counted as (
    select
        funnel_id,
        grain,
        source,
        coalesce(device, {{ unknown }}) as device,
        coalesce(category_id, {{ unknown }}) as category,
        max_step,
        count(*) as attempts,
        start_date
    from {{ ref("int_funnel_attempts") }}
    {%- if adds_to_history() %}
    where start_date in (select start_date from {{ ref("int_funnel_count_dates") }})
    {%- endif %}
    group by
        funnel_id, grain, source, coalesce(device, {{ unknown }}), coalesce(category_id, {{ unknown }}), max_step, start_date
)

{% for dimension in ("source", "device", "category") -%}
select
    funnel_id,
    grain,
    '{{ dimension }}' as dimension,
    {{ dimension }} as dimension_value,
    max_step,
    cast(sum(attempts) as bigint) as attempts,
    start_date
from counted
group by funnel_id, grain, {{ dimension }}, max_step, start_date
{{ "union all" if not loop.last }}
{% endfor %}
