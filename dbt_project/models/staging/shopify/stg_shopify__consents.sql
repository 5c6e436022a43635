{#-
    Grain: one sound row of Shopify's customers export and channel of which it says whether marketing is accepted. In the
    vault: it may name a person by phone or e-mail. A cell that says neither yes nor no states nothing.
-#}
{{ config(schema='vault') }}

with

source as (

    select * from {{ source('raw', 'shopify_customers') }}
    where {{ accepted_rows('date') }}

),

stated as (

    {% for channel in ['email', 'sms'] -%}
    select
        *,
        '{{ channel }}' as channel,
        lower(trim(accepts_{{ channel }}_marketing)) as answer
    from source
    {{ "union all" if not loop.last }}
    {% endfor %}
),

renamed as (

    select
        -- ids
        customer_id,
        {{ canonical_phone('phone') }} as phone,
        {{ canonical_email('email') }} as email,

        -- strings
        channel,
        'marketing' as purpose,

        -- booleans
        answer = 'yes' as is_granted,

        -- timestamps
        _exported_at as recorded_at,

        -- metadata
        {{ row_origin('date') }}

    from stated
    where answer in ('yes', 'no')

)

select * from renamed
