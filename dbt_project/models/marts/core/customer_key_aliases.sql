{#-
    Grain: one change of key (from, to, date): published under the first key, known by the second since.
    Holdouts and whatever must not change its mind look through it: any member in, all in.
    Definition: docs/definitions/people.md
-#}
with

changes as (

    select distinct previous_customer_key, customer_key, as_of_date, change
    from {{ ref('int_customer_key_changes') }}
    where previous_customer_key is not null and customer_key is not null and as_of_date <= {{ as_of_date() }}

)

-- Two builds of one date may disagree on what to call the same change: the name is the smaller one.
select
    -- ids
    '{{ var("shop_id") }}' as shop_id,
    previous_customer_key as from_key,
    customer_key as to_key,

    -- strings
    min(change) as change,

    -- dates
    as_of_date as changed_on

from changes
group by previous_customer_key, customer_key, as_of_date
