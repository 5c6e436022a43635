{#-
    Grain: one customer: a person with an order, an event or a membership dated on or before D, or in a platform's list of
    customers, and an identifier stronger than a visitor id. No personal data: contact details stay in the vault.
    Definition: docs/definitions/people.md
-#}
{%- set member_fields = ['tier', 'gender', 'age_band', 'province', 'city', 'is_fan', 'joined_date', 'fan_since_date'] %}

with

identifiers as (

    select identifier_key, identifier_kind, identifier_value, customer_key from {{ ref('int_identifier_customers') }}
    where customer_key is not null

),

member_rows as (

    select
        identifiers.customer_key,
        members.tier, members.gender, members.age_band, members.province, members.city, members.joined_date,
        members.fan_since_date, members.is_member, members.is_fan, members._folder_date, members._source_file,
        members._source_row, members._batch_id
    from {{ ref('int_members_current') }} as members
    inner join identifiers on members.identifier_key = identifiers.identifier_key

),

-- Of several ids of one person, the newest export's word on each field that it fills; members' exports count first.
members as (

    select
        customer_key,
        {% for field in member_fields -%}
        {{ latest(field, ['is_member', '_folder_date', '_source_file', '_source_row', '_batch_id']) }} as {{ field }},
        {% endfor %}
        max(case when is_member then 1 else 0 end) = 1 as is_member
    from member_rows
    group by customer_key

),

ordered as (

    select * from {{ ref('int_customer_orders') }}

),

visited as (

    select * from {{ ref('int_customer_visits') }}

),

tastes as (

    select * from {{ ref('int_customer_tastes') }}

),

customers as (

    select
        seen.customer_key,
        {{ sorted_list_of_known(
            "case when identifiers.identifier_kind = 'member_id' then identifiers.identifier_value end"
        ) }} as customer_ids
    from (
        select customer_key from ordered
        union
        select customer_key from visited
        union
        select customer_key from members
    ) as seen
    left join identifiers on seen.customer_key = identifiers.customer_key
    group by seen.customer_key

)

select
    -- ids
    '{{ var("shop_id") }}' as shop_id,
    customers.customer_key,
    customers.customer_ids,
    tastes.preferred_category_id,

    -- strings
    members.tier,
    members.gender,
    members.age_band,
    case when ordered.has_place then ordered.province else members.province end as province,
    case when ordered.has_place then ordered.city else members.city end as city,
    tastes.price_tier,
    visited.first_touch_source,
    '{{ var("currency") }}' as currency_code,

    -- numerics
    {% for total in ['order_count', 'paid_order_count', 'deal_count', 'paid_amount', 'refunded_amount', 'net_amount'] -%}
    coalesce(ordered.{{ total }}, 0) as {{ total }},
    {% endfor %}
    -- booleans
    coalesce(members.is_member, false) as is_member,
    coalesce(members.is_fan, false) as is_fan,
    coalesce(ordered.paid_order_count, 0) > 0 as is_buyer,

    -- dates
    members.joined_date,
    members.fan_since_date,
    ordered.first_ordered_date,
    ordered.last_ordered_date,
    ordered.first_paid_date,
    ordered.last_paid_date,
    ordered.last_signed_date,
    visited.first_event_date,
    visited.last_event_date

from customers
{% for part in ['members', 'ordered', 'visited', 'tastes'] -%}
left join {{ part }} on customers.customer_key = {{ part }}.customer_key
{% endfor %}