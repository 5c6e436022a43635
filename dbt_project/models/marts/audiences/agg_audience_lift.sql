{#- Grain: shop x as-of date x audience x period (all, or the month of exposure).
    Those contacted beside those held out: what the audience changed, how sure that is, and whether the comparison is fair.
    Definition: docs/definitions/audience-outcomes.md -#}
{%- set z = var("audience_lift_z") %}
{%- set arms = ["contacted", "holdout"] %}

with measured as (
    select
        *,
        {%- for arm in arms %}
        {{ share_of(arm ~ "_converted", arm ~ "_customers") }} as {{ arm }}_rate,
        {{ share_of(arm ~ "_cents", "100 * " ~ arm ~ "_customers") }} as {{ arm }}_mean,
        {{ variance_of_mean(arm ~ "_customers", arm ~ "_cents", arm ~ "_square_cents") }} as {{ arm }}_variance,
        {{ wilson_low(arm ~ "_converted", arm ~ "_customers", z) }} as {{ arm }}_low,
        {{ wilson_high(arm ~ "_converted", arm ~ "_customers", z) }} as {{ arm }}_high,
        {%- endfor %}
        {{ share_of("contacted_converted + holdout_converted", "contacted_customers + holdout_customers") }} as both_rate,
        (holdout_customers - cast(planned_holdout as double)) * (holdout_customers - cast(planned_holdout as double))
        / nullif(cast(planned_variance as double), 0) as chi_square
    from {{ ref("int_audience_arms") }}
),

compared as (
    select
        *,
        contacted_rate - holdout_rate as difference,
        contacted_mean - holdout_mean as mean_difference,
        {{ newcombe_reach("contacted_rate", "contacted_low", "holdout_rate", "holdout_high") }} as reach_below,
        {{ newcombe_reach("contacted_rate", "contacted_high", "holdout_rate", "holdout_low") }} as reach_above,
        {{ z }} * sqrt(contacted_variance + holdout_variance) as mean_reach,
        -- Where nobody or everybody bought, nothing is known of how shares vary.
        case when both_rate > 0 and both_rate < 1 then {{ z + var("audience_power_z") }} * sqrt(
            both_rate * (1 - both_rate)
            * (1 / nullif(cast(contacted_customers as double), 0) + 1 / nullif(cast(holdout_customers as double), 0))
        ) end as detectable,
        chi_square > {{ var("audience_sample_ratio_max_chi_square") }} as is_broken
    from measured
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    {{ as_of_date() }} as as_of_date,
    audience_id,
    cast(period as varchar) as period,
    cast(case
        when planned_holdout = 0 then 'no_holdout'
        when least(contacted_customers, holdout_customers) < {{ var("audience_lift_min_customers") }} then 'few'
        when is_broken then 'sample_ratio_broken'
        when difference - reach_below > 0 then 'gain'
        when difference + reach_above < 0 then 'loss'
        else 'none_seen'
    end as varchar) as verdict,
    {%- for arm in arms %}
    {{ arm }}_customers,
    {{ arm }}_converted,
    {{ arm }}_rate,
    {{ from_cents(arm ~ "_cents") }} as {{ arm }}_net_amount,
    cast({{ arm }}_mean as decimal(18, 2)) as {{ arm }}_average_amount,
    {%- endfor %}
    unmeasured_customers,
    difference as rate_difference,
    difference - reach_below as rate_difference_low,
    difference + reach_above as rate_difference_high,
    detectable as detectable_rate_difference,
    cast(mean_difference as decimal(18, 2)) as average_amount_difference,
    cast(mean_difference - mean_reach as decimal(18, 2)) as average_amount_difference_low,
    cast(mean_difference + mean_reach as decimal(18, 2)) as average_amount_difference_high,
    cast(mean_difference * contacted_customers as decimal(18, 2)) as incremental_net_amount,
    planned_holdout as planned_holdout_customers,
    chi_square as sample_ratio_chi_square,
    coalesce(is_broken, false) as is_sample_ratio_broken
from compared
