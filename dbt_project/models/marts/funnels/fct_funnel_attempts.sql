{#- Grain: shop x funnel x grain x person x item x start date, start dates of the last funnel_attempts_keep_days.
    One try of a person (with an item, or without) to go through a funnel, and how far it came.
    Definition: docs/definitions/funnels.md. A view: the attempts are in int_funnel_attempts, publishing copies them. -#}
{{ config(materialized="view") }}

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    funnel_id,
    grain,
    person_id,
    item_id,
    source,
    max_step,
    {{ days_between("start_date", as_of_date()) }} >= {{ var("funnel_window_days") }} as is_complete,
    start_date,
    started_at
from {{ ref("int_funnel_attempts") }}
where start_date between {{ add_days(as_of_date(), 1 - var("funnel_attempts_keep_days")) }} and {{ as_of_date() }}
