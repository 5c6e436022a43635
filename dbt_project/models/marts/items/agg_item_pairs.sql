{#- Grain: shop x as-of date x kind (bought, viewed) x item x other item, of the last affinity_days.
    How much more often two items are bought in one order, or viewed in one session, than chance would bring them together.
    Definition: docs/definitions/affinity.md -#}

with baskets as (
    select distinct order_id as basket_id, item_id
    from {{ ref("fct_order_lines") }}
    where is_deal and paid_date > {{ affinity_cutoff() }} and paid_date <= {{ as_of_date() }}
),

{{ pair_count_ctes("baskets", []) }},

counts as (
    select 'bought' as kind, item_id, other_item_id, basket_count from pair_counts
    union all
    select 'viewed' as kind, item_id, other_item_id, sum(session_count) as basket_count
    from {{ ref("int_viewed_pairs_by_day") }}
    where session_date > {{ affinity_cutoff() }} and session_date <= {{ as_of_date() }}
    group by item_id, other_item_id
),

frequent as (
    select kind, item_id, other_item_id, cast(basket_count as bigint) as support_count
    from counts
    where item_id < other_item_id and basket_count >= {{ var("affinity_min_count") }}
),

directed as (
    select kind, item_id, other_item_id, support_count from frequent
    union all
    select kind, other_item_id as item_id, item_id as other_item_id, support_count from frequent
),

counted as (
    select
        directed.kind, directed.item_id, directed.other_item_id, directed.support_count,
        cast(own.basket_count as bigint) as item_count,
        cast(others.basket_count as bigint) as other_item_count,
        cast(totals.basket_count as bigint) as basket_count
    from directed
    inner join counts as own
        on directed.kind = own.kind and directed.item_id = own.item_id and own.item_id = own.other_item_id
    inner join counts as others
        on
            directed.kind = others.kind and directed.other_item_id = others.item_id
            and others.item_id = others.other_item_id
    inner join counts as totals on directed.kind = totals.kind and totals.item_id is null
),

-- Equal fractions are equal floats: each is one division of whole numbers.
measured as (
    select
        *,
        {{ ratio("support_count", "basket_count") }} as support,
        {{ ratio("support_count", "item_count") }} as confidence,
        {{ ratio("support_count * basket_count", "item_count * other_item_count") }} as lift
    from counted
),

ranked as (
    select
        *,
        row_number() over (
            partition by kind, item_id order by lift desc, support_count desc, other_item_id
        ) as pair_rank
    from measured
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    {{ as_of_date() }} as as_of_date,
    kind,
    item_id,
    other_item_id,
    support_count,
    item_count,
    other_item_count,
    basket_count,
    support,
    confidence,
    lift,
    cast(pair_rank as integer) as pair_rank
from ranked
where pair_rank <= {{ var("affinity_max_pairs_per_item") }}
