{#- Grain: customer in the segment of an RFM class as of D.
    A class's segment has the id of the class.
    Definition: docs/definitions/segments.md -#}
{{ config(schema="intermediate", materialized="view") }}

select
    rfm_class as segment_id,
    customer_key,
    {{ json_object_text([
        ("last_deal_date", "cast(" ~ add_days("as_of_date", "-recency_days") ~ " as varchar)"),
        ("frequency", "frequency"),
        ("monetary", "cast(monetary as varchar)"),
        ("r_score", "r_score"),
        ("f_score", "f_score"),
        ("m_score", "m_score"),
    ]) }} as reason
from {{ ref("fct_customer_rfm") }}
