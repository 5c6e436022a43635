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
