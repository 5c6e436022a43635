{#- Grain: shop x as-of date x comparison x dimension x value x effect.
    Why the paid amount of two periods differs. The effects of a dimension are the whole change, to the cent.
    Definition: docs/definitions/what-moved.md -#}
{%- set keys = ["comparison", "dimension", "dimension_value"] %}

with periods as (
    select periods.comparison, {{ number }} as period
    from {{ kpi_comparison_periods() }} as periods
)

select 1
