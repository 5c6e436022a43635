{#- What the traffic models share. -#}

{#- The kinds of export that tell of single events of visitors. -#}
{% macro event_source_names() -%}
    {{ return(["traffic_events", "ga4_events"]) }}
{%- endmacro %}

{#-
    Rows of int_events_superseded that a pending batch may have put there: other tellings of an event that arrived (CTE
    `arrived`), and all of a day that GA4 has written anew.
-#}
{% macro superseded_by_arrivals() -%}
    (
        event_key in (select {{ renqun.event_key() }} from arrived)
        or ga4_date in (
            select days.ga4_date from {{ ref("int_ga4_days") }} as days
            where {{ renqun.of_pending_batches("ga4_events") }}
        )
    )
{%- endmacro %}

{#- The platforms' own figures by source of traffic. -#}
{% macro traffic_source_names() -%}
    {{ return(["traffic_sources", "sycm_shop_sources"]) }}
{%- endmacro %}

{#-
    What a kind of export is good for, by the name of the generic one: orders of any platform are orders. A shop "has
    orders" or "has traffic events" by this.
-#}
{% macro generic_source(source) -%}
    case
        when {{ renqun.in_literals(source, renqun.order_source_names()) }} then 'orders'
        when {{ renqun.in_literals(source, renqun.event_source_names()) }} then 'traffic_events'
        else {{ source }}
    end
{%- endmacro %}
