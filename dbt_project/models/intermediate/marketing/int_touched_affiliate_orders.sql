{#-
    Grain: one order whose commissions this build computes anew: a settlement of a file that no finished build consumed, one
    that waited for its date, or an order that is touched itself (it may be excluded now).
-#}
-- Depends on {{ ref('int_touched_orders') }}.

with

versions as (

    select order_id, settled_date, _batch_id from {{ ref('int_affiliate_settlement_versions') }}

)

select distinct order_id
from versions
{%- if not is_full_build() %}
where
    {{ of_pending_batches('taobaoke_settlements') }}
    or (settled_date > {{ previous_as_of_date() }} and settled_date <= {{ as_of_date() }})
    or order_id in (select touched.order_id from {{ ref('int_touched_orders') }} as touched)
{%- endif %}
