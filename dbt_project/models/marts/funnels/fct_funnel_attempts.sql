{#- Grain: shop x funnel x grain x person x item or session x start date, start dates of the last funnel_attempts_keep_days.
    One try of a person (with an item, in a session, or as such) to go through a funnel, and how far it came.
    Definition: docs/definitions/funnels.md. A view: the attempts are in int_funnel_attempts, publishing copies them. -#}
{{ config(materialized="view") }}

with funnels as (
    select distinct funnel_id, window_days
    from {{ ref("int_funnel_step_types") }}
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    attempts.funnel_id,
    attempts.grain,
    attempts.person_id,
    attempts.item_id,
    attempts.session_id,
    attempts.category_id,
    attempts.source,
    attempts.device,
    attempts.max_step,
    {{ days_between("attempts.start_date", as_of_date()) }} >= funnels.window_days as is_complete,
    attempts.start_date,
    attempts.started_at
from {{ ref("int_funnel_attempts") }} as attempts
inner join funnels on attempts.funnel_id = funnels.funnel_id
where
    attempts.start_date between {{ add_days(as_of_date(), 1 - var("funnel_attempts_keep_days")) }} and {{ as_of_date() }}
