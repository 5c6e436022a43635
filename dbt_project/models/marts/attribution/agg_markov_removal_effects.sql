{#- Grain: shop x as-of date x source of the chain of the last markov_days.
    How much of all conversions would be lost without a source, and how many paths it is part of.
    Definition: docs/definitions/attribution.md -#}

with counted as (
    select
        from_source as source,
        sum(transitions) as visits,
        sum(paths) as paths,
        sum(case when is_conversion then paths else 0 end) as converting_paths
    from {{ ref("int_markov_transitions") }}
    where from_source is not null
    group by from_source
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    {{ as_of_date() }} as as_of_date,
    counted.source,
    cast(counted.visits as bigint) as visits,
    cast(counted.paths as bigint) as paths,
    cast(counted.converting_paths as bigint) as converting_paths,
    effects.removal_effect,
    -- Sums of whole millionths: a share does not depend on the order of additions.
    {{ ratio(
        "cast(round(effects.removal_effect * 1000000) as bigint)",
        "sum(cast(round(effects.removal_effect * 1000000) as bigint)) over ()"
    ) }} as removal_share
from counted
inner join {{ ref("int_markov_effects") }} as effects on counted.source = effects.source
