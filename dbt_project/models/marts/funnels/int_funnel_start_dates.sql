{#- Grain: start date whose attempts this build may change.
    A touched date can change attempts that started up to the funnel window before it.
    Definition: docs/definitions/funnels.md -#}
{{ config(schema="intermediate", materialized="table") }}

-- The window is counted in hours: where clocks are put forward, it ends one calendar day later than the days say.
with touched as (
    select {{ explode_days(
        add_days("touched_date", -(var("funnel_window_days") + 1)), "touched_date"
    ) }} as start_at
    from {{ ref("int_touched_dates") }}
)

select distinct cast(start_at as date) as start_date
from touched
where cast(start_at as date) <= {{ as_of_date() }}
