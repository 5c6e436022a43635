{#- Schemas are named exactly as the project says (`marts`, not `main_marts`): readers rely on the names. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
