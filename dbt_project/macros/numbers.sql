{#- Numbers in place of texts, for tables that are too long to carry them. Nothing that readers see depends on a number. -#}

{#-
    A model that gives every combination of `columns` (texts, null is a value) in the subquery `seen` a number, in column
    `number`. Combinations that have one keep it: a build that is run again adds nothing, and a full refresh changes nothing.
-#}
{% macro numbered(number, columns, seen) -%}
    {%- set told = columns | join(", ") %}

with

seen as (

    select distinct {{ told }} from {{ seen }} as seen_rows

),

{% if is_incremental() -%}

unnumbered as (

    select
        {%- for column in columns %}
        seen.{{ column }}{{ "," if not loop.last }}
        {%- endfor %}
    from seen
    left join {{ this }} as known
        on {{ renqun.same_values("seen", "known", columns) }}
    where known.{{ number }} is null

),

given as (

    select coalesce(max({{ number }}), 0) as last_number from {{ this }}

)

{%- else -%}

unnumbered as (

    select {{ told }} from seen

),

given as (

    select 0 as last_number

)

{%- endif %}

select
    -- ids
    cast(given.last_number + row_number() over (
        order by {% for column in columns %}unnumbered.{{ column }}{{ ", " if not loop.last }}{% endfor %}
    ) as integer) as {{ number }},
    {%- for column in columns %}
    unnumbered.{{ column }}{{ "," if not loop.last }}
    {%- endfor %}

from unnumbered
cross join given
{%- endmacro %}

{#- A condition: two relations agree in every column; NULL agrees with NULL. -#}
{% macro same_values(left, right, columns) -%}
    {%- for column in columns -%}
        {{ left }}.{{ column }} is not distinct from {{ right }}.{{ column }}
        {{- " and " if not loop.last -}}
    {%- endfor -%}
{%- endmacro %}

{#-
    A subquery: `columns` of the events up to D that interest in categories counts, of the dates that this build touches. Where
    an event names no category, its item stands in its place.
-#}
{% macro category_acts(columns) -%}
    (
        select
            {%- for column in columns %}
            {{ "case when category_id is null then item_id end as item_id" if column == "item_id" else column }}
            {{- "," if not loop.last }}
            {%- endfor %}
        from {{ ref("int_events") }}
        where
            event_type in ('view', 'favourite', 'cart')
            and (category_id is not null or item_id is not null)
            and event_date <= {{ renqun.as_of_date() }}
            {%- if renqun.adds_to_history() %}
            and {{ renqun.in_literals("event_date", renqun.touched_event_dates()) }}
            {%- endif %}
    )
{%- endmacro %}

{#-
    CTEs `customers` (customer_key, customer_number) and, at their end, `owners`: for every visitor number its customer's
    number (NULL: nobody's). An event that names a customer is that customer's; the others are the one's whom the visitor
    belongs to. Resolved anew at every build: whoever was merged takes along what the visitors did.
-#}
{% macro visitor_number_owners_ctes() -%}
customers as (
    select * from {{ ref("int_customer_numbers") }}
),

{%- for kind in ("open_uid", "member_id") -%}
{{ kind }}s as (
    select identifiers.identifier_value, customers.customer_number
    from {{ renqun.customers_by(kind) }} as identifiers
    inner join customers on identifiers.customer_key = customers.customer_key
),

{% endfor -%}
visitors as (
    select visitors.visitor_id, customers.customer_number
    from {{ ref("dim_visitors") }} as visitors
    inner join customers on visitors.customer_key = customers.customer_key
),

owners as (
    select
        numbers.visitor_number,
        coalesce(open_uids.customer_number, member_ids.customer_number, visitors.customer_number) as customer_number
    from {{ ref("int_visitor_numbers") }} as numbers
    left join visitors on numbers.visitor_id = visitors.visitor_id
    left join member_ids on numbers.customer_id = member_ids.identifier_value
    left join open_uids on numbers.open_uid = open_uids.identifier_value
)
{%- endmacro %}
