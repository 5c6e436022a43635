{#-
    Grain: one row of a touched day's advertising reports as the newest file tells it: conversions of past days grow, and
    every new download replaces what it tells again. Rows about several days cannot be dated and are left out.
-#}
with

versions as (

    select * from {{ ref('int_ad_report_versions') }}
    where
        first_date = last_date
        and first_date in (select touched.business_date from {{ ref('int_touched_ad_days') }} as touched)

),

ranked as (

    select
        *,
        row_number() over (
            partition by first_date, ad_entity_key, attribution_key
            order by _folder_date desc, _source_file desc, _source_row desc, _batch_id desc
        ) as version_rank
    from versions

),

newest as (

    select
        *,
        {{ window_days('attribution_window') }} as attribution_window_days,
        case report_level
            when 'campaign' then 1
            when 'ad_group' then 2
            when 'item' then 3
            when 'creative' then 4
            when 'audience' then 5
            when 'keyword' then 6
            else 7
        end as level_rank
    from ranked
    where version_rank = 1

),

-- The same cost is told by every report of a day, and by every way of attributing: one of each makes the total.
chosen as (

    select
        *,
        min(level_rank) over (partition by channel, first_date) as chosen_level_rank,
        row_number() over (
            partition by first_date, ad_entity_key
            order by attribution_window_days desc nulls last, attribution_key
        ) as attribution_rank
    from newest

)

select
    *,
    level_rank = chosen_level_rank and attribution_rank = 1 as is_in_total
from chosen
