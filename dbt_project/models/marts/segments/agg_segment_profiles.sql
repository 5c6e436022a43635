{#- Grain: shop x as-of date x segment with a customer x feature x value.
    How much more often a value occurs inside a segment than among all customers (TGI); dense over the values that occur.
    Definition: docs/definitions/segments.md -#}
{%- set features = [
    ("province", "customers.province"), ("gender", "customers.gender"), ("age_band", "customers.age_band"),
    ("tier", "customers.tier"), ("price_tier", "customers.price_tier"), ("category", "customers.preferred_category_id"),
] %}
{%- set names = features | map("first") | join(", ") %}

with customers as (
    select
        members.segment_numbers,
        {%- for feature, column in features %}
        coalesce({{ column }}, '{{ var("profile_unknown_value") }}') as {{ feature }}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ ref("dim_customers") }} as customers
    left join {{ ref("int_customer_segments") }} as members on customers.customer_key = members.customer_key
),

members as (
    select {{ explode_array("segment_numbers") }} as segment_number, {{ names }}
    from customers
),

-- Each row is of one feature: the others are null.
{% for name, relation, key in [("base_values", "customers", ""), ("member_values", "members", "segment_number, ")] -%}
{{ name }} as (
    select
        {{ key }}
        case{% for feature, _ in features %} when {{ feature }} is not null then '{{ feature }}'{% endfor %} end as feature,
        coalesce({{ names }}) as feature_value,
        count(*) as customers
    from {{ relation }}
    group by grouping sets ({% for feature, _ in features %}({{ key }}{{ feature }}){{ ", " if not loop.last }}{% endfor %})
),

{% endfor -%}
-- What few customers have is told together; by the whole base, so that a value has one name in every segment.
base as (
    select
        *,
        case when customers < {{ var("profile_min_customers") }} then '{{ var("profile_other_value") }}' else feature_value end
            as shown_value
    from base_values
),

counted as (
    select member_values.segment_number, base.feature, base.shown_value, sum(member_values.customers) as customers
    from member_values
    inner join base on member_values.feature = base.feature and member_values.feature_value = base.feature_value
    group by member_values.segment_number, base.feature, base.shown_value
),

shown as (
    select feature, shown_value, cast(sum(customers) as bigint) as base_customers
    from base
    group by feature, shown_value
),

sizes as (
    select *
    from {{ ref("agg_segment_overlaps") }}
    where segment_id = other_segment_id and customers > 0
),

-- A customer may be in several crowds: whoever is in both segments.
cells as (
    select
        sizes.segment_id,
        shown.feature,
        shown.shown_value as feature_value,
        cast(coalesce(counted.customers, 0) as bigint) as customers,
        sizes.segment_customers,
        shown.base_customers
    from sizes
    inner join {{ ref("dim_segments") }} as segments on sizes.segment_id = segments.segment_id
    cross join shown
    left join counted
        on
            segments.segment_number = counted.segment_number
            and shown.feature = counted.feature
            and shown.shown_value = counted.shown_value
    union all
    select
        crowded.segment_id,
        'crowd' as feature,
        crowded.other_segment_id as feature_value,
        crowded.customers,
        crowded.segment_customers,
        sizes.customers as base_customers
    from {{ ref("agg_segment_overlaps") }} as crowded
    inner join sizes on crowded.other_segment_id = sizes.segment_id
    inner join {{ ref("dim_segments") }} as crowds on crowded.other_segment_id = crowds.segment_id
    where crowds.family = 'crowd' and crowded.segment_customers > 0
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    {{ as_of_date() }} as as_of_date,
    cells.segment_id,
    cells.feature,
    cells.feature_value,
    cells.customers,
    cells.segment_customers,
    cells.base_customers,
    totals.all_customers,
    {{ ratio("cells.customers", "cells.segment_customers") }} as segment_share,
    {{ ratio("cells.base_customers", "totals.all_customers") }} as base_share,
    case when cells.base_customers >= {{ var("tgi_min_count") }} then {{ ratio(
        "(100 * cast(cells.customers as " ~ big_integer() ~ ") * totals.all_customers)",
        "(cast(cells.segment_customers as " ~ big_integer() ~ ") * cells.base_customers)",
    ) }} end as tgi
from cells
cross join (select count(*) as all_customers from {{ ref("dim_customers") }}) as totals
