{#-
    Grain: one person of an export of members, known by the strongest identifier of the row, whose birthday was told: month
    and day as told last. In the vault; the year of birth goes no further than the export.
-#}
{{ config(
    schema='vault',
    materialized='incremental',
    incremental_strategy='replace_keys',
    unique_key='identifier_key',
    on_schema_change='fail'
) }}
{%- set place = ['_folder_date', '_source_file', '_source_row', '_batch_id'] %}

with

told as (

    select
        identifier_key,
        substr(cast(cast(birthday as date) as varchar), 6, 5) as birthday_month_day,
        {{ place | join(',\n        ') }}
    from {{ ref('stg_generic__member_contacts') }}
    where identifier_key is not null and birthday is not null and {{ pending_rows('members') }}

),

known as (

    select * from told
    {%- if adds_to_history() %}
    union all
    select identifier_key, birthday_month_day, {{ place | join(', ') }}
    from {{ this }}
    where identifier_key in (select told.identifier_key from told)
    {%- endif %}

),

ranked as (

    select
        *,
        row_number() over (
            partition by identifier_key
            order by _folder_date desc, _source_file desc, _source_row desc, _batch_id desc
        ) as age_rank
    from known

)

select
    -- ids
    identifier_key,

    -- strings
    birthday_month_day,

    -- metadata
    _folder_date,
    _batch_id,
    _source_file,
    _source_row

from ranked
where age_rank = 1
