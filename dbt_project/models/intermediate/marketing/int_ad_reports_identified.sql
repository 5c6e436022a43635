{#-
    Grain: one row of a touched day's advertising reports in one file, and what it is about. What a file does not tell is
    completed from other files of the day, where they tell one thing only. Rows about several days have no day: left out.
    Definition: docs/definitions/marketing.md
-#}
{%- set day = ['channel', 'first_date'] %}
{%- set texts = [
    'channel', 'report_level', 'scene_name', 'campaign_name', 'ad_group_name', 'item_name', 'keyword', 'audience_name',
    'creative_name', 'placement', 'effect_model', 'effect_scope', 'attribution_window',
] %}
{%- set level = day + ['level_rank'] %}
{%- set ad_group = day + ['campaign', 'ad_group'] %}
{%- set others = level + ['scene', 'ad_group', 'keyword_key', 'audience_name', 'creative_key', 'placement'] %}
{%- set told = ['scene', 'ad_group', 'subject', 'keyword_key', 'audience_name', 'creative_key', 'placement'] %}

with

versions as (

    select
        *,
        {{ ad_level_rank('report_level') }} as level_rank
    from {{ ref('int_ad_report_versions') }}
    where
        first_date = last_date
        and first_date in (select touched.business_date from {{ ref('int_touched_ad_days') }} as touched)

),

named as (

    select
        *,
        {{ known_id('campaign_id', 'campaign_name', day) }} as known_campaign_id,
        coalesce({{ known_id('campaign_id', 'campaign_name', day) }}, campaign_name) as campaign,
        coalesce({{ known_id('scene_id', 'scene_name', day) }}, scene_name) as own_scene,
        coalesce({{ known_id('coalesce(subject_id, item_id)', 'item_name', level) }}, item_name) as own_subject
    from versions

),

with_scenes as (

    select
        *,
        {{ completed('own_scene', day) }} as scene,
        {{ known_id('ad_group_id', 'ad_group_name', day + ['campaign']) }} as known_ad_group_id,
        coalesce({{ known_id('ad_group_id', 'ad_group_name', day + ['campaign']) }}, ad_group_name) as own_ad_group
    from named

),

with_ad_groups as (

    select
        *,
        {{ completed('own_ad_group', level + [
            'item_name', 'keyword', 'audience_name', 'creative_name', 'placement'
        ]) }} as ad_group
    from with_scenes

),

with_parts as (

    select
        *,
        {{ known_id('creative_id', 'creative_name', ad_group) }} as known_creative_id,
        coalesce({{ known_id('creative_id', 'creative_name', ad_group) }}, creative_name) as creative_key,
        coalesce({{ known_id('keyword_id', 'keyword', ad_group) }}, keyword) as keyword_key
    from with_ad_groups

),

with_subjects as (

    select
        *,
        {{ completed('own_subject', others) }} as subject,
        {{ completed('item_id', others) }} as known_item_id
    from with_parts

)

select
    -- ids
    {{ surrogate_key([
        'channel', 'level_rank', 'scene', 'campaign', 'ad_group', 'subject',
        'case when item_id <> subject then item_id end', 'keyword_key', 'audience_name', 'creative_key', 'placement'
    ]) }} as ad_entity_key,
    {{ surrogate_key(['effect_model', 'effect_scope', 'attribution_window']) }} as attribution_key,
    known_campaign_id as campaign_id,
    known_ad_group_id as ad_group_id,
    known_item_id as item_id,
    known_creative_id as creative_id,

    -- strings
    {{ texts | join(",\n    ") }},
    concat(
        {%- for value in told %}
        {%- set own = 'own_' ~ value if loop.index <= 3 else value %}
        case when {{ value }} is not null or {{ is_told_by_file(own) }} = 1 then '1' else '0' end
        {{- "," if not loop.last }}
        {%- endfor %}
    ) as told_columns,

    -- numerics
    level_rank,
    {{ ad_report_measures() | join(",\n    ") }},

    -- dates
    first_date,

    -- metadata
    _folder_date,
    _batch_id,
    _source_file,
    _source_row

from with_subjects
