{#- Grain: customer x date with a deal, but the first: the gap to the deal day before.
    The shop's own rhythm, that lifecycle and churn measure customers by.
    Definition: docs/definitions/stages.md -#}
{{ config(schema="intermediate", materialized="view") }}

select customer_key, gap_days, paid_date
from {{ ref("int_customer_deal_days") }}
where gap_days is not null
