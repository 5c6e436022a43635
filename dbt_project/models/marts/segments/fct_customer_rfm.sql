{#- Grain: shop x as-of date x customer with a deal in the last rfm_window_days.
    Recency, frequency and monetary value, scored 1 to 5 by integer arithmetic, and the class of eight.
    Definition: docs/definitions/segments.md -#}
{%- set measures = [("recency_days", "r_score"), ("frequency", "f_score"), ("monetary", "m_score")] -%}

with deals as (
    select customer_key, net_amount, {{ days_between("paid_date", as_of_date()) }} as age_days
    from {{ ref("fct_orders") }}
    where is_deal and customer_key is not null and paid_date <= {{ as_of_date() }}
),

measured as (
    select
        customer_key,
        cast(min(age_days) as integer) as recency_days,
        count(*) as frequency,
        cast(sum(net_amount) as decimal(18, 2)) as monetary,
        count(*) over () as base_customers
    from deals
    where age_days < {{ var("rfm_window_days") }}
    group by customer_key
),

{% if var("rfm_method") == "fixed" -%}
scored as (
    select
        measured.customer_key,
        max(case when cuts.measure = 'recency_days' and measured.recency_days <= cuts.cut_point then cuts.score else 1 end) as r_score,
        max(case when cuts.measure = 'frequency' and measured.frequency >= cuts.cut_point then cuts.score else 1 end) as f_score,
        max(case when cuts.measure = 'monetary' and measured.monetary >= cuts.cut_point then cuts.score else 1 end) as m_score
    from measured
    cross join {{ ref("rfm_thresholds") }} as cuts
    group by measured.customer_key
),
{%- elif var("rfm_method") == "quantile" -%}
-- A rank counts the strictly worse customers before it, plus one; ties share it, so no order of rows can matter.
customers_worse as (
    select
        customer_key,
        base_customers,
        rank() over (order by recency_days desc) - 1 as recency_days_worse,
        rank() over (order by frequency) - 1 as frequency_worse,
        rank() over (order by monetary) - 1 as monetary_worse
    from measured
),

scored as (
    select
        customer_key,
        {%- for measure, score in measures %}
        case
            when base_customers = 1 then 1
            else least(
                {{ var("rfm_score_count") }},
                1 + {{ floor_div(var("rfm_score_count") ~ " * " ~ measure ~ "_worse", "base_customers - 1") }}
            )
        end as {{ score }}{{ "," if not loop.last }}
        {%- endfor %}
    from customers_worse
),
{%- else -%}
{{ exceptions.raise_compiler_error("rfm_method is '" ~ var("rfm_method") ~ "': it must be 'quantile' or 'fixed'") }}
{%- endif %}

-- High means above the mean score of the base: score x n > sum, in integers.
compared_to_mean as (
    select
        customer_key,
        {%- for measure, score in measures %}
        {{ score }},
        {{ score }} * count(*) over () > sum({{ score }}) over () as is_{{ score }}_high{{ "," if not loop.last }}
        {%- endfor %}
    from scored
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    {{ as_of_date() }} as as_of_date,
    measured.customer_key,
    measured.recency_days,
    measured.frequency,
    measured.monetary,
    cast(compared_to_mean.r_score as integer) as r_score,
    cast(compared_to_mean.f_score as integer) as f_score,
    cast(compared_to_mean.m_score as integer) as m_score,
    classes.rfm_class
from measured
inner join compared_to_mean on measured.customer_key = compared_to_mean.customer_key
inner join {{ ref("rfm_classes") }} as classes
    on
        compared_to_mean.is_r_score_high = classes.is_recency_high
        and compared_to_mean.is_f_score_high = classes.is_frequency_high
        and compared_to_mean.is_m_score_high = classes.is_monetary_high
