{#- What the attribution models share. -#}

{#- The models that a rule expresses; the Markov model is computed from the others' touches (int_attribution_markov). -#}
{% macro attribution_rule_models() -%}
    {{ return(["last", "first", "linear", "time_decay", "position"]) }}
{%- endmacro %}

{#- A subquery: all models, one a row. -#}
{% macro attribution_models() -%}
    (
        {%- for model in renqun.attribution_rule_models() + ["markov"] %}
        select '{{ model }}' as attribution_model {{ "union all" if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{#-
    CTEs `moments`, `looked_back` and `paths`: the visits and payments of a person on one line of time, cut into paths. A
    visit belongs to the path that began after the payment before it (`path_at`: that payment's time); a payment to the path
    of the latest visit before it, so that two orders paid after one visit share its path, and NULL where there was no visit.
    `next_paid_at`: the next payment at or after the visit. At the same moment the visit comes first.
    `visits` has person_id, session_id, source, campaign, started_at; `payments` has person_id, paid_at, both distinct.
-#}
{% macro path_ctes(visits, payments) -%}
{%- set in_order = "partition by person_id order by moment_at, is_payment, session_id" -%}
moments as (
    select person_id, session_id, source, campaign, 0 as is_payment, started_at as moment_at from {{ visits }}
    union all
    select person_id, '' as session_id, null as source, null as campaign, 1 as is_payment, paid_at as moment_at
    from {{ payments }}
),

looked_back as (
    select
        *,
        coalesce(
            max(case when is_payment = 1 then moment_at end) over (
                {{ in_order }} rows between unbounded preceding and current row
            ),
            cast('1900-01-01 00:00:00' as timestamp)
        ) as paid_before_at
    from moments
),

paths as (
    select
        *,
        -- The times of the payments before never go back: the latest visit has the greatest of them.
        max(case when is_payment = 0 then paid_before_at end) over (
            {{ in_order }} rows between unbounded preceding and current row
        ) as path_at,
        min(case when is_payment = 1 then moment_at end) over (
            {{ in_order }} rows between current row and unbounded following
        ) as next_paid_at
    from looked_back
)
{%- endmacro %}

{#- The earliest start of a visit that is a touch of an order paid at a time. -#}
{% macro first_touch_at(paid_at) -%}
    {{ renqun.add_seconds(paid_at, -24 * 60 * 60 * var("attribution_lookback_days")) }}
{%- endmacro %}

{#-
    What a touch weighs in a model, as a whole number; what it gets is its part of the weights of the order's touches.
    `number` counts the touches of an order from 1, `touches` is how many there are, at least two.
-#}
{% macro touch_weight(model, number, touches, started_at, paid_at) -%}
    {%- set percents = var("attribution_position_percents") -%}
    {%- if model == "linear" -%}
        1
    {%- elif model == "time_decay" -%}
        {#- In whole billionths, so that sums do not depend on the order of rows; 30 days of 7 leave 5 % of the weight. -#}
        cast(round(1000000000 * power(
            cast(0.5 as double),
            {{ renqun.attribution_microseconds(started_at, paid_at) }}
            / cast({{ var("attribution_half_life_days") * 24 * 60 * 60 }}000000 as double)
        )) as bigint)
    {%- elif model == "position" -%}
        case
            when {{ number }} = 1 then {{ percents[0] }} * greatest({{ touches }} - 2, 1)
            when {{ number }} = {{ touches }} then {{ percents[2] }} * greatest({{ touches }} - 2, 1)
            else {{ percents[1] }}
        end
    {%- endif -%}
{%- endmacro %}

{#- CTE `weighed`: the touches of orders with several of them, and what each weighs in the models that share by weight. -#}
{% macro weighed_touches_cte(touches) -%}
weighed as (
    {% for model in ("linear", "time_decay", "position") -%}
    select
        order_id, '{{ model }}' as attribution_model, session_id as line_key, touch_number as line_number,
        {{ renqun.touch_weight(model, "touch_number", "touches", "started_at", "paid_at") }} as weight
    from {{ touches }}
    where touches > 1
    {{ "union all" if not loop.last }}
    {% endfor -%}
)
{%- endmacro %}

{#-
    CTEs that give away what an order is worth, to the cent, by the largest remainder: what it paid, what is left of it (net),
    and the order itself in millionths. `weighed` has order_id, attribution_model, line_key, line_number (breaks ties) and
    weight; `orders` has order_id, paid_amount and net_amount. `shares`: gross_cents, net_cents and order_millionths of each.
-#}
{% macro credit_share_ctes(weighed, orders) -%}
{%- set measures = {
    "gross_cents": renqun.to_cents("orders.paid_amount"), "net_cents": renqun.to_cents("orders.net_amount"),
    "order_millionths": "cast(1000000 as " ~ renqun.big_integer() ~ ")",
} -%}
open_lines as (
    {% for measure, whole in measures.items() -%}
    select
        weighed.order_id, weighed.attribution_model, '{{ measure }}' as measure, weighed.line_key, weighed.line_number,
        {{ whole }} as open_cents,
        cast(weighed.weight as {{ renqun.big_integer() }}) as weight,
        cast(sum(weighed.weight) over (
            partition by weighed.order_id, weighed.attribution_model
        ) as {{ renqun.big_integer() }}) as total_weight
    from {{ weighed }} as weighed
    inner join {{ orders }} as orders on weighed.order_id = orders.order_id
    {{ "union all" if not loop.last }}
    {% endfor %}
),

{{ renqun.largest_remainder_ctes("open_lines", ["order_id", "attribution_model", "measure"]) }},

shares as (
    select
        order_id,
        attribution_model,
        line_key
        {%- for measure in measures %},
        sum(case when measure = '{{ measure }}' then shared_cents end) as {{ measure }}
        {%- endfor %}
    from shared
    group by order_id, attribution_model, line_key
)
{%- endmacro %}

{#- Whole microseconds from one UTC time to another. -#}
{% macro attribution_microseconds(from_at, to_at) -%}
    {{ return(adapter.dispatch("attribution_microseconds", "renqun")(from_at, to_at)) }}
{%- endmacro %}

{% macro duckdb__attribution_microseconds(from_at, to_at) -%}
    (epoch_us({{ to_at }}) - epoch_us({{ from_at }}))
{%- endmacro %}

{% macro default__attribution_microseconds(from_at, to_at) -%}
    (unix_micros({{ to_at }}) - unix_micros({{ from_at }}))
{%- endmacro %}

{#-
    CTEs `changed_visitors`, `stretches` and `touched_orders`: the orders whose touches this build may change. Touched
    orders; orders paid within the lookback after a visit that changed, or after a payment that came, went or moved; and
    those of every customer that a relinked visitor ever belonged to. Rather too many than one too few.
-#}
{% macro attributed_anew_ctes() -%}
{%- set reach = var("attribution_lookback_days") + 2 -%}
changed_visitors as (
    select visitor_id, min(event_date) as first_date, max(event_date) as last_date
    from {{ ref("int_touched_visitor_days") }}
    group by visitor_id
    union all
    select
        relinked.visitor_id,
        coalesce(visitors.first_event_date, cast('1900-01-01' as date)) as first_date,
        coalesce(visitors.last_event_date, {{ renqun.as_of_date() }}) as last_date
    from {{ ref("int_relinked_visitors") }} as relinked
    left join {{ ref("dim_visitors") }} as visitors on relinked.visitor_id = visitors.visitor_id
),

stretches as (
    select
        links.customer_key,
        -- A date is a day of the shop's zone, a touch lies within hours: one day more before, one more after.
        {{ renqun.add_days("changed.first_date", -1) }} as first_date,
        {{ renqun.add_days("changed.last_date", reach) }} as last_date
    from changed_visitors as changed
    inner join {{ ref("int_visitor_link_changes") }} as links on changed.visitor_id = links.visitor_id
    where links.customer_key is not null
    union all
    select customer_key, paid_date as first_date, {{ renqun.add_days("paid_date", reach) }} as last_date
    from {{ ref("fct_orders") }}
    where
        is_paid and customer_key is not null
        and order_id in (select touched.order_id from {{ ref("int_touched_orders") }} as touched)
    union all
    select customer_key, paid_date as first_date, {{ renqun.add_days("paid_date", reach) }} as last_date
    from {{ this }}
    where
        attribution_model = 'last' and customer_key is not null
        and order_id in (select touched.order_id from {{ ref("int_touched_orders") }} as touched)
),

touched_orders as (
    select order_id from {{ ref("int_touched_orders") }}
    union
    select orders.order_id
    from {{ ref("fct_orders") }} as orders
    inner join stretches
        on
            orders.customer_key = stretches.customer_key
            and orders.paid_date between stretches.first_date and stretches.last_date
    where orders.is_paid
)
{%- endmacro %}

{#- Incremental strategy of int_attribution_credits: touched orders go, what was computed anew comes. -#}
{% macro get_incremental_replace_attributed_sql(arguments) -%}
    {%- set target = arguments["target_relation"] -%}
    {%- set columns = arguments["dest_columns"] | map(attribute="quoted") | join(", ") -%}
    delete from {{ target }}
    {%- if not renqun.is_full_build() %}
    where order_id in (
        select touched.order_id from {{ ref("int_touched_orders") }} as touched
        union all
        select computed.order_id from {{ arguments["temp_relation"] }} as computed
    )
    {%- endif %};
    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ arguments["temp_relation"] }};
{%- endmacro %}
