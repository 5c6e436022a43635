{#- Grain: date on which an excluded order (补单/刷单) was paid by its newest export.
    How many orders the shop's list takes out of every mart.
    Definition: docs/definitions/people.md -#}
{{ config(schema="intermediate", materialized="table") }}

with newest as (
    select
        versions.order_id,
        versions.paid_date,
        row_number() over (
            partition by versions.order_id
            order by
                case when versions.paid_date is not null then 0 else 1 end, versions.exported_at desc,
                versions._source_file desc, versions._folder_date desc, versions._batch_id desc
        ) as version_rank
    from {{ ref("int_order_versions") }} as versions
    where versions.order_id in (select excluded.order_id from {{ ref("int_excluded_orders") }} as excluded)
)

select
    paid_date,
    count(*) as excluded_order_count
from newest
where version_rank = 1 and paid_date <= {{ as_of_date() }}
group by paid_date
