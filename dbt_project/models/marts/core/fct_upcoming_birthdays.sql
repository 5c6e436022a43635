{#-
    Grain: shop x as-of date x customer whose birthday is celebrated in the next birthday_ahead_days, D itself included.
    Who was born on 29 February celebrates on the 28th in years without one. No year of birth, no personal data beyond the day.
    Definition: docs/definitions/people.md
-#}
with

identifiers as (

    select identifier_key, customer_key from {{ ref('int_identifier_customers') }}
    where customer_key is not null

),

members as (

    select customer_key from {{ ref('dim_customers') }}
    where is_member

),

-- Of several ids of one person, the newest export's word.
birthdays as (

    select
        identifiers.customer_key,
        told.birthday_month_day,
        row_number() over (
            partition by identifiers.customer_key
            order by
                told._folder_date desc, told._source_file desc, told._source_row desc, told._batch_id desc,
                told.identifier_key desc
        ) as age_rank
    from {{ ref('int_member_birthdays') }} as told
    inner join identifiers on told.identifier_key = identifiers.identifier_key
    inner join members on identifiers.customer_key = members.customer_key

),

years as (

    select cast(extract(year from {{ as_of_date() }}) as integer) as celebrated_year
    union all
    select cast(extract(year from {{ as_of_date() }}) as integer) + 1 as celebrated_year

),

celebrated as (

    select
        birthdays.customer_key,
        cast(
            concat(
                cast(years.celebrated_year as varchar),
                '-',
                case
                    when
                        birthdays.birthday_month_day = '02-29'
                        and not (
                            {{ floor_mod("years.celebrated_year", 4) }} = 0
                            and ({{ floor_mod("years.celebrated_year", 100) }} <> 0 or {{ floor_mod("years.celebrated_year", 400) }} = 0)
                        )
                        then '02-28'
                    else birthdays.birthday_month_day
                end
            ) as date
        ) as celebrated_date
    from birthdays
    cross join years
    where birthdays.age_rank = 1

)

select
    -- ids
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    customer_key,

    -- numerics
    cast({{ days_between(as_of_date(), "celebrated_date") }} as integer) as days_until,

    -- dates
    {{ as_of_date() }} as as_of_date,
    celebrated_date

from celebrated
where celebrated_date >= {{ as_of_date() }} and celebrated_date <= {{ add_days(as_of_date(), var("birthday_ahead_days")) }}
