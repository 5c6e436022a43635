{#-
    Models with memory (segment spells and sizes) keep what finished builds said. A build may run again, and late data may
    evaluate a date anew: whatever was recorded after the build before this one is forgotten first, in the same transaction.
-#}

{#- Refuses a build that would go back in time, or that memory would not notice. -#}
{% macro check_build_moves_forward() -%}
    {%- if execute and run_date("previous_as_of_date") >= run_date("as_of_date") -%}
        {{ exceptions.raise_compiler_error(
            "previous_as_of_date " ~ run_date("previous_as_of_date") ~ " must lie before as_of_date " ~ run_date("as_of_date")
        ) }}
    {%- endif -%}
{%- endmacro %}

{#- Rows of `this` whose `date_column` lies after the previous build never happened. -#}
{% macro forget_rows_after_previous_build(date_column) -%}
    {{- check_build_moves_forward() -}}
    {%- if load_cached_relation(this) is not none -%}
        delete from {{ this }} where {{ date_column }} > {{ previous_as_of_date() }}
    {%- endif -%}
{%- endmacro %}

{#- A spell that ended after the previous build is open again. -#}
{% macro reopen_spells_ended_after_previous_build() -%}
    {%- if load_cached_relation(this) is not none -%}
        update {{ this }} set exited_on = null where exited_on > {{ previous_as_of_date() }}
    {%- endif -%}
{%- endmacro %}
