{#-
    dbt's `source`, told where raw lies only when a model runs: what dbt has parsed is good for the shop wherever its
    folders are, and is not parsed anew for every one of them.
-#}
{% macro source(source_name, table_name) -%}
    {%- set relation = builtins.source(source_name, table_name) -%}
    {%- if not execute or not relation.external -%}
        {{ return(relation) }}
    {%- endif -%}
    {%- set raw_root = env_var("RENQUN_RAW_ROOT") | replace("'", "''") -%}
    {{ return(relation.replace(external=relation.external | replace("RENQUN_RAW_ROOT", raw_root))) }}
{%- endmacro %}
