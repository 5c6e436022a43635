{#-
    Grain: one statement of consent in one file (batch, row, channel), whatever kind of export it is from. In the vault. Which
    statement holds is decided at publishing time: the latest one about the person, channel and purpose.
-#}
{{ config(schema='vault', materialized='view') }}

{%- set columns %}
    customer_id, phone, email, channel, purpose, is_granted, recorded_at,
    _folder_date, _batch_id, _source_file, _source_row, _raw_file
{%- endset %}

select {{ columns }}
from {{ ref('stg_generic__consents') }}
union all
select {{ columns }}
from {{ ref('stg_shopify__consents') }}
