{#- Grain: paid order x attribution model that a rule expresses x source x campaign, with what the model gives it.
    Each model gives all of the order's amount away, to the cent; orders without a touch give it to `(no touch)`.
    Definition: docs/definitions/attribution.md. Only orders whose touches this build may have changed are computed anew. -#}
{{ config(
    schema="intermediate",
    materialized="incremental",
    incremental_strategy="replace_attributed",
    on_schema_change="fail",
) }}
-- Depends on {{ ref("int_touched_orders") }}, {{ ref("int_touched_visitor_days") }}, {{ ref("int_relinked_visitors") }} and {{ ref("int_visitor_link_changes") }}.

with models as (
    {% for model in attribution_rule_models() -%}
    select '{{ model }}' as attribution_model {{ "union all" if not loop.last }}
    {% endfor -%}
),

{% if adds_to_history() -%}
{{ attributed_anew_ctes() }},

{% endif -%}
orders as (
    select order_id, customer_key, paid_amount, net_amount, paid_date, paid_at
    from {{ ref("fct_orders") }}
    where
        is_paid
        {%- if adds_to_history() %}
        and order_id in (select order_id from touched_orders)
        {%- endif %}
),

buyers as (
    select distinct customer_key from orders where customer_key is not null
),

visits as (
    select
        visitors.customer_key as person_id,
        sessions.session_id,
        coalesce(sessions.source, '{{ var("funnel_unknown_source") }}') as source,
        coalesce(sessions.campaign, '{{ var("funnel_unknown_source") }}') as campaign,
        sessions.started_at
    from {{ ref("fct_sessions") }} as sessions
    inner join {{ ref("dim_visitors") }} as visitors on sessions.visitor_id = visitors.visitor_id
    where
        visitors.customer_key in (select customer_key from buyers)
        and sessions.session_date >= (
            select {{ add_days("min(paid_date)", -(var("attribution_lookback_days") + 1)) }} from orders
        )
        and sessions.session_date <= (select max(paid_date) from orders)
),

payments as (
    select distinct customer_key as person_id, paid_at
    from {{ ref("fct_orders") }}
    where is_paid and customer_key in (select customer_key from buyers)
),

{{ path_ctes("visits", "payments") }},

touches as (
    select
        orders.order_id, orders.paid_at, visits.session_id, visits.source, visits.campaign, visits.moment_at as started_at,
        row_number() over (partition by orders.order_id order by visits.moment_at, visits.session_id) as touch_number,
        count(*) over (partition by orders.order_id) as touches
    from orders
    inner join paths as payments
        on orders.customer_key = payments.person_id and orders.paid_at = payments.moment_at and payments.is_payment = 1
    inner join paths as visits
        on payments.person_id = visits.person_id and payments.path_at = visits.path_at and visits.is_payment = 0
    where visits.moment_at between {{ first_touch_at("orders.paid_at") }} and orders.paid_at
),

{{ weighed_touches_cte("touches") }},

{{ credit_share_ctes("weighed", "orders") }},

-- A single touch gets everything by every model, the last and the first one by theirs; nothing to share.
given as (
    select
        touches.order_id, models.attribution_model, touches.session_id as line_key,
        {{ to_cents("orders.paid_amount") }} as gross_cents, {{ to_cents("orders.net_amount") }} as net_cents,
        1000000 as order_millionths
    from touches
    inner join orders on touches.order_id = orders.order_id
    cross join models
    where
        touches.touches = 1
        or models.attribution_model = 'last' and touches.touch_number = touches.touches
        or models.attribution_model = 'first' and touches.touch_number = 1
    union all
    select order_id, attribution_model, line_key, gross_cents, net_cents, order_millionths from shares
),

credits as (
    select
        given.order_id, given.attribution_model, touches.source, touches.campaign,
        sum(given.gross_cents) as gross_cents, sum(given.net_cents) as net_cents,
        sum(given.order_millionths) as order_millionths,
        count(*) as touch_count, min(touches.touch_number) as first_touch_number
    from given
    inner join touches on given.order_id = touches.order_id and given.line_key = touches.session_id
    group by given.order_id, given.attribution_model, touches.source, touches.campaign
)

select
    orders.order_id,
    orders.customer_key,
    models.attribution_model,
    coalesce(credits.source, '{{ var("attribution_no_touch") }}') as source,
    coalesce(credits.campaign, '{{ var("attribution_no_touch") }}') as campaign,
    cast(coalesce(credits.touch_count, 0) as integer) as touch_count,
    cast(coalesce(credits.first_touch_number, 0) as integer) as first_touch_number,
    {{ from_cents("coalesce(credits.gross_cents, " ~ to_cents("orders.paid_amount") ~ ")") }} as credit_amount,
    {{ from_cents("coalesce(credits.net_cents, " ~ to_cents("orders.net_amount") ~ ")") }} as credit_net_amount,
    {{ from_millionths("coalesce(credits.order_millionths, 1000000)") }} as credit_orders,
    orders.paid_date
from orders
cross join models
left join credits on orders.order_id = credits.order_id and models.attribution_model = credits.attribution_model
