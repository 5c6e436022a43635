{#- Grain: customer x date with a deal, but the first: the gap to the deal day before.
    The shop's own rhythm, that lifecycle and churn measure customers by.
    Definition: docs/definitions/stages.md -#}
{{ config(schema="intermediate", materialized="table") }}

with deal_days as (
    select
        customer_key,
        paid_date,
        cast({{ days_between("lag(paid_date) over (partition by customer_key order by paid_date)", "paid_date") }} as integer)
            as gap_days
    from {{ ref("int_customer_deal_days") }}
    where paid_date <= {{ as_of_date() }}
)

select customer_key, gap_days, paid_date
from deal_days
where gap_days is not null
