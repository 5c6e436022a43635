{#- Grain: shop x segment of the catalogue.
    What each segment is, in words and as a rule, with the thresholds of this shop written out.
    Definition: docs/definitions/segments.md -#}
{%- set catalogue = segment_catalogue() -%}

select
    cast('{{ var("shop_id") }}' as varchar) as shop_id,
    segment_id,
    family,
    name_en,
    name_zh,
    {{ with_var_values("definition", catalogue, "{", "}") }} as definition,
    {{ with_var_values("definition_zh", catalogue, "{", "}") }} as definition_zh,
    model,
    {{ with_var_values("rule", catalogue, "var:") }} as rule,
    needs_source,
    owner,
    cast(row_number() over (order by segment_id) as integer) as segment_number
from {{ ref("segments") }}
