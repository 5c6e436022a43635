{#-
    Grain: one business date up to D whose events, or whose order or pay times, this build changes; the dates since
    the last build always. In a full build: every date from the first fact to D.
-#}
with

event_dates as (

    select distinct event_date as touched_date from {{ ref('int_touched_visitor_days') }}

),

-- All versions of the touched orders: a date that the newest export no longer names has lost an order.
order_dates as (

    select ordered_date as touched_date from {{ ref('int_touched_order_versions') }}
    union
    select paid_date as touched_date from {{ ref('int_touched_order_versions') }}
    union
    select deposit_paid_date as touched_date from {{ ref('int_touched_order_versions') }}

),

touched as (

    select touched_date from event_dates
    union
    select touched_date from order_dates

),

bounds as (

    select
        {% if is_full_build() -%}
        least(min(touched_date), {{ as_of_date() }}) as first_date
        {%- else -%}
        {{ add_days(previous_as_of_date(), 1) }} as first_date
        {%- endif %}
    from touched

),

new_dates as (

    select {{ explode_days('first_date', as_of_date()) }} as touched_date from bounds

),

unioned as (

    select touched_date from touched
    union
    select cast(touched_date as date) as touched_date from new_dates

)

select touched_date from unioned
where touched_date <= {{ as_of_date() }}
