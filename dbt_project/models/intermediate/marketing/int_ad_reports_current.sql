{#-
    Grain: one thing that a touched day's advertising reports are about, by one way of attributing, as the newest file tells
    it: conversions of past days grow, and every new download replaces what it tells again. Rows of one file about the same
    thing are parts of it, by a column that nobody knows here (device, region): they are added up.
    Definition: docs/definitions/marketing.md
-#}
{%- set texts = [
    'campaign_id', 'ad_group_id', 'item_id', 'creative_id', 'channel', 'report_level', 'scene_name', 'campaign_name',
    'ad_group_name', 'item_name', 'keyword', 'audience_name', 'creative_name', 'placement', 'effect_model',
    'effect_scope', 'attribution_window'
] %}

with

ranked as (

    select
        ad_entity_key,
        attribution_key,
        {{ texts | join(",\n        ") }},
        told_columns,
        level_rank,
        {% for name, decimals in ad_report_decimals().items() -%}
        cast(
            sum({{ name }}) over (partition by first_date, ad_entity_key, attribution_key, _batch_id)
            as decimal(18, {{ decimals }})
        ) as {{ name }},
        {% endfor -%}
        first_date,
        row_number() over (
            partition by first_date, ad_entity_key, attribution_key
            order by {{ newest_file() }}, _source_row desc
        ) as version_rank
    from {{ ref('int_ad_reports_identified') }}

),

-- A name that stands without an id in one file, and with several in another, is told by its name in the total.
newest as (

    select
        *,
        {{ window_days('attribution_window') }} as attribution_window_days,
        case
            when
                max(case when campaign_id is null then 1 else 0 end)
                    over (partition by channel, first_date, campaign_name) = 1
                then coalesce(campaign_name, campaign_id)
            else campaign_id
        end as campaign,
        -- The kind of report, then how many columns it tells: the smaller, the coarser.
        concat(
            cast(level_rank as varchar),
            case when campaign_id is null then '0' else '1' end,
            cast(length(replace(told_columns, '0', '')) as varchar),
            told_columns
        ) as report_shape
    from ranked
    where version_rank = 1

),

-- The same cost is told by every report of a day, and by every way of attributing: one of each makes the total.
compared as (

    select
        *,
        min(report_shape) over (partition by channel, first_date, campaign) as coarsest_shape,
        min(case when campaign is null then level_rank end) over (partition by channel, first_date) as shop_level_rank,
        min(case when campaign is not null then level_rank end)
            over (partition by channel, first_date) as campaign_level_rank,
        row_number() over (
            partition by first_date, ad_entity_key
            order by attribution_window_days desc nulls last, attribution_key
        ) as attribution_rank
    from newest

)

select
    -- ids
    ad_entity_key,
    attribution_key,

    -- ids and strings
    {{ texts | join(",\n    ") }},

    -- numerics
    attribution_window_days,
    {{ ad_report_measures() | join(",\n    ") }},

    -- booleans
    attribution_rank = 1
    and report_shape = coarsest_shape
    and case
        -- A report that names no campaigns is about the whole shop: it is the total, or none of its rows is.
        when campaign is null then shop_level_rank < coalesce(campaign_level_rank, shop_level_rank + 1)
        else campaign_level_rank <= coalesce(shop_level_rank, campaign_level_rank)
    end as is_in_total,

    -- dates
    first_date

from compared
