{#-
    dbt's `source`, told where raw lies only when a model runs: what dbt has parsed is good for the shop wherever its
    folders are, and is not parsed anew for every one of them.

    Files are opened by the columns of the first one, which costs nothing for files that a query leaves out. Only where a
    source has files from before a column of it was described (RENQUN_RAW_BY_NAME lists these sources) every file is asked.
-#}
{% macro source(source_name, table_name) -%}
    {%- set relation = builtins.source(source_name, table_name) -%}
    {%- if not execute or not relation.external -%}
        {{ return(relation) }}
    {%- endif -%}
    {%- set raw_root = env_var("RENQUN_RAW_ROOT") | replace("'", "''") -%}
    {%- set external = relation.external | replace("RENQUN_RAW_ROOT", raw_root) -%}
    {%- if table_name in env_var("RENQUN_RAW_BY_NAME", "").split(",") -%}
        {%- set external = external | replace("union_by_name=false", "union_by_name=true") -%}
    {%- endif -%}
    {{ return(relation.replace(external=external)) }}
{%- endmacro %}
