{#- Grain: funnel x person x start date whose attempts this build may change, at the grains of persons.
    What a person did on a date can change attempts that they started up to the funnel's window before it. The window is
    counted in hours: where clocks are put forward, it ends one calendar day later than the days say.
    Definition: docs/definitions/funnels.md -#}
{{ config(schema="intermediate", materialized="table") }}

with funnels as (
    select distinct funnel_id, window_days
    from {{ ref("int_funnel_step_types") }}
    where grain <> 'session'
),

touched as (
    select
        funnels.funnel_id,
        days.person_id,
        {{ explode_days(add_days("days.touched_date", "-(funnels.window_days + 1)"), "days.touched_date") }} as start_at
    from {{ ref("int_funnel_touched_days") }} as days
    cross join funnels
)

select distinct
    funnel_id,
    person_id,
    cast(start_at as date) as start_date
from touched
