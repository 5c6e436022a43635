{#- Grain: shop x as-of date x funnel x grain x segment x step.
    How far complete attempts of the last days came, by the segments that their persons are members of as of D.
    Definition: docs/definitions/funnels.md -#}

with steps as (
    select distinct funnel_id, grain, step, step_name, window_days
    from {{ ref("int_funnel_step_types") }}
),

funnels as (
    select distinct funnel_id, grain, {{ add_days(as_of_date(), "-window_days") }} as last_complete_date
    from steps
),

-- A person's attempts, counted once: how many segments the person is in multiplies only these few rows.
persons as (
    select attempts.funnel_id, attempts.grain, attempts.person_id, attempts.max_step, count(*) as attempts
    from {{ ref("int_funnel_attempts") }} as attempts
    inner join funnels on attempts.funnel_id = funnels.funnel_id and attempts.grain = funnels.grain
    where
        attempts.start_date
        between {{ add_days("funnels.last_complete_date", 1 - var("funnel_report_days")) }} and funnels.last_complete_date
    group by attempts.funnel_id, attempts.grain, attempts.person_id, attempts.max_step
),

members as (
    select segment_id, customer_key
    from {{ ref("fct_segment_memberships") }}
    where exited_on is null
),

counts as (
    select '{{ var("funnel_everybody") }}' as segment_id, funnel_id, grain, max_step, sum(attempts) as attempts
    from persons
    group by funnel_id, grain, max_step
    union all
    select '{{ var("funnel_nobody") }}' as segment_id, persons.funnel_id, persons.grain, persons.max_step, sum(persons.attempts)
    from persons
    where not exists (select 1 from members where members.customer_key = persons.person_id)
    group by persons.funnel_id, persons.grain, persons.max_step
    union all
    select members.segment_id, persons.funnel_id, persons.grain, persons.max_step, sum(persons.attempts)
    from persons
    inner join members on persons.person_id = members.customer_key
    group by members.segment_id, persons.funnel_id, persons.grain, persons.max_step
),

segments as (
    select '{{ var("funnel_everybody") }}' as segment_id
    union
    select '{{ var("funnel_nobody") }}' as segment_id
    union
    select segment_id
    from members
),

-- Dense over the segments with a member and the funnels that somebody began in those days.
begun as (
    select distinct funnel_id, grain
    from persons
),

reached as (
    select segments.segment_id, steps.funnel_id, steps.grain, steps.step, steps.step_name,
        cast(coalesce(sum(counts.attempts), 0) as bigint) as attempts
    from begun
    inner join steps on begun.funnel_id = steps.funnel_id and begun.grain = steps.grain
    cross join segments
    left join counts
        on
            segments.segment_id = counts.segment_id and steps.funnel_id = counts.funnel_id and steps.grain = counts.grain
            and counts.max_step >= steps.step
    group by segments.segment_id, steps.funnel_id, steps.grain, steps.step, steps.step_name
),

compared as (
    select
        *,
        first_value(attempts) over (
            partition by segment_id, funnel_id, grain order by step rows between unbounded preceding and current row
        ) as started_attempts,
        lag(attempts) over (partition by segment_id, funnel_id, grain order by step) as previous_attempts
    from reached
)

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    funnel_id,
    grain,
    segment_id,
    cast(step as integer) as step,
    step_name,
    attempts,
    {{ ratio("attempts", "started_attempts") }} as conversion_rate,
    {{ ratio("attempts", "previous_attempts") }} as step_rate,
    {{ as_of_date() }} as as_of_date
from compared
