{#-
    Grain: one person of an export of members (or of Shopify's customers) who counts as of D: whoever joins after D waits,
    and the newest row that does not is the person's.
-#}
{{ config(materialized='view') }}

with

ranked as (

    select
        *,
        row_number() over (
            partition by identifier_key
            order by is_member desc, _folder_date desc, _source_file desc, _source_row desc, _batch_id desc
        ) as version_rank
    from {{ ref('int_members') }}
    where joined_date is null or joined_date <= {{ as_of_date() }}

)

select
    -- ids
    identifier_key,
    customer_id,

    -- strings
    tier,
    gender,
    age_band,
    province,
    city,

    -- numerics
    points,

    -- booleans
    is_member,
    case when fan_since_date > {{ as_of_date() }} then false else is_fan end as is_fan,

    -- dates
    joined_date,
    case when fan_since_date <= {{ as_of_date() }} then fan_since_date end as fan_since_date,

    -- metadata
    _folder_date,
    _batch_id,
    _source_file,
    _source_row

from ranked
where version_rank = 1
