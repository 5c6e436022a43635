{#-
    Grain: one person, channel and purpose that the person spoke of, with the statement that holds: the newest one,
    whichever of the person's identifiers it names. In the vault. A refusal holds for everybody whom it names, a grant for
    the one whom the most trusted identifier names; a grant recorded after D is none yet.
-#}
{{ config(schema='vault', contract={'enforced': true}) }}
{%- set place = ['recorded_at', '_folder_date', '_batch_id', '_source_row'] %}

with

stated as (

    select * from {{ ref('int_consent_statements') }}

),

named as (

    {{ persons_of('stated', ['statement_key', 'channel', 'purpose', 'is_granted'] + place) }}

)

select
    -- ids
    customer_key,

    -- strings
    channel,
    purpose,

    -- booleans
    {{ latest('is_granted', place + ['statement_key']) }} as is_granted,

    -- timestamps
    {{ latest('recorded_at', place + ['statement_key']) }} as recorded_at

from named
where not is_granted or (is_strongest and {{ business_date('recorded_at') }} <= {{ as_of_date() }})
group by customer_key, channel, purpose
