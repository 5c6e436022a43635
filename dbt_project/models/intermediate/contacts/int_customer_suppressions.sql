{#-
    Grain: one person and cause for which nothing is sent to them on D. In the vault. Of each case the newest statement
    counts, whichever of the person's identifiers it names; one case that is open is enough, and the day on which it ends
    still counts. Whoever is named by any identifier is meant.
-#}
{{ config(schema='vault', contract={'enforced': true}) }}
{%- set place = ['recorded_at', '_folder_date', '_batch_id', '_source_row'] %}

with

stated as (

    select * from {{ ref('int_suppression_statements') }}

),

named as (

    {{ persons_of('stated', ['statement_key', 'case_id', 'cause', 'is_closed', 'ended_at'] + place) }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by customer_key, cause, case_id
            order by recorded_at desc, _folder_date desc, _batch_id desc, _source_row desc, statement_key desc
        ) as age_rank
    from named

)

select distinct
    -- ids
    customer_key,

    -- strings
    cause

from ranked
where
    age_rank = 1
    and not is_closed
    and (ended_at is null or {{ business_date('ended_at') }} >= {{ as_of_date() }})
