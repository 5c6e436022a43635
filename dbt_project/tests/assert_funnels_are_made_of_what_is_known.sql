-- A grain, or an event type, that no catalogue has: the funnel would be counted nowhere, or its step reached by nobody.
with grains as (
    select funnel_id, trim({{ explode_list("grains") }}) as word
    from {{ ref("funnels") }}
),

event_types as (
    select funnel_id, trim({{ explode_list("event_types") }}) as word
    from {{ ref("funnel_steps") }}
)

select funnel_id, word, 'grain' as kind
from grains
where word not in (select grain from {{ ref("funnel_grains") }})
union all
select funnel_id, word, 'event type' as kind
from event_types
where word not in (select event_type from {{ ref("funnel_event_types") }})
union all
-- A funnel without steps is none.
select funnel_id, null as word, 'steps' as kind
from {{ ref("funnels") }}
where funnel_id not in (select funnel_id from {{ ref("funnel_steps") }})
