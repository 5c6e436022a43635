{#-
    Grain: one day and traffic source of a platform's own figures, as the newest file of that platform and day tells it.
    Visitors overlap: one who came by several sources counts in each. Never add persons up; amounts of one level may be.
    Definition: docs/definitions/traffic.md
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='replace_touched',
    touched_by='int_touched_traffic_source_days',
    touched_key='business_date',
    on_schema_change='fail'
) }}
{{ require_full_work_tables() }}

{%- set levels = ['carrier', 'source_level_1', 'source_level_2', 'source_level_3', 'source_level_4'] %}
{%- set file = ['platform', 'business_date', '_batch_id'] %}

with

versions as (

    select * from {{ ref('int_traffic_source_versions') }}
    where business_date in (
        select touched.business_date from {{ ref('int_touched_traffic_source_days') }} as touched
    )

),

leveled as (

    select
        *,
        case
            when source_level_4 is not null then 4
            when source_level_3 is not null then 3
            when source_level_2 is not null then 2
            else 1
        end as depth
    from versions

),

-- A sum counts only where its file tells nothing below it, and not its source itself either.
told as (

    select
        *,
        not is_roll_up
        or (
            min(case when is_roll_up then 1 else 0 end) over (partition by {{ (file + levels) | join(', ') }}) = 1
            and case depth
                {%- for depth in [1, 2, 3] %}
                when {{ depth }}
                    then max(depth) over (partition by {{ (file + levels[:depth + 1]) | join(', ') }}) = {{ depth }}
                {%- endfor %}
            end
        ) as is_counted
    from leveled

),

-- The newest file of a day stands alone; inside it the last row of a source.
ranked as (

    select
        *,
        dense_rank() over (
            partition by platform, business_date
            order by {{ newest_file() }}
        ) as file_rank,
        row_number() over (
            partition by platform, business_date, _batch_id, {{ levels | join(", ") }}
            order by _source_row desc
        ) as row_rank
    from told
    where is_counted

)

select
    -- ids
    '{{ var("shop_id") }}' as shop_id,
    {{ surrogate_key(['platform'] + levels) }} as traffic_source_key,

    -- strings
    platform,
    carrier,
    source_level_1,
    source_level_2,
    source_level_3,
    source_level_4,
    '{{ var("currency") }}' as currency_code,

    -- numerics
    visitor_count,
    view_count,
    cart_person_count,
    favourite_person_count,
    orders_placed_count,
    buyers_placed_count,
    buyers_paid_count,
    paid_amount,
    {{ ratio('buyers_paid_count', 'visitor_count') }} as conversion_rate,
    {{ ratio('paid_amount', 'visitor_count') }} as amount_per_visitor,

    -- dates
    business_date

from ranked
where file_rank = 1 and row_rank = 1
