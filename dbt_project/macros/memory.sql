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

{#- A spell that ended after the previous build is open again, and nothing tells of its end. -#}
{% macro reopen_spells_ended_after_previous_build() -%}
    {%- if load_cached_relation(this) is not none -%}
        {#- Memory that is older than the column gets it in the build that follows. -#}
        {%- set tells_why = "exited_reason" in adapter.get_columns_in_relation(this) | map(attribute="name") -%}
        update {{ this }} set exited_on = null{{ ", exited_reason = null" if tells_why }}
        where exited_on > {{ previous_as_of_date() }}
    {%- endif -%}
{%- endmacro %}

{#- What this build is called: a finished one keeps what it recorded, even where its date is built again. -#}
{% macro build_id() -%}
    {%- if var("dates_from") == "warehouse" and execute -%}
        {{ return(run_query("select build_id from ops.current_build").columns[0].values()[0]) }}
    {%- endif -%}
    {{ return("as of " ~ var("as_of_date")) }}
{%- endmacro %}

{#- Rows of `this` that no finished build recorded never happened. What was published stays known, whatever came after. -#}
{% macro forget_rows_of_unfinished_builds(date_column) -%}
    {{- check_build_moves_forward() -}}
    {%- if load_cached_relation(this) is not none -%}
        delete from {{ this }}
        where
            {{ date_column }} > {{ previous_as_of_date() }}
            {%- if var("dates_from") == "warehouse" %}
            and build_id not in (select builds.build_id from ops.builds as builds where builds.finish_number is not null)
            {%- endif %}
    {%- endif -%}
{%- endmacro %}

{#-
    A subquery: open spells of keys that are another person's now, with that person's key. A key is the key of an identifier,
    so whoever holds that identifier goes on with the spell.
-#}
{% macro spells_of_changed_keys() -%}
    (
        select
            spells.segment_id,
            spells.customer_key as from_key,
            identifiers.customer_key as to_key,
            spells.entered_on,
            row_number() over (
                partition by spells.segment_id, identifiers.customer_key
                order by spells.entered_on, spells.customer_key
            ) as spell_rank
        from {{ this }} as spells
        inner join {{ ref("int_identifier_customers") }} as identifiers
            on spells.customer_key = identifiers.identifier_key
        where
            spells.exited_on is null
            and identifiers.customer_key <> spells.customer_key
            -- The same said of identifiers alone: those that name their person are most, and never enter the join.
            and identifiers.customer_key <> identifiers.identifier_key
    )
{%- endmacro %}

{#-
    Of the spells that are open in a segment for persons who became one, the one that began first goes on under the key that
    stays; the others end, under the keys that go. Where the first was under a key that goes, the two keys change places: each
    spell keeps its dates and its reasons, so that sizes of earlier dates can still be counted from spells. A spell of the key
    that stays that ended while the first one ran changes places too, and all of the two keys with it: no key is inside twice.
-#}
{% macro move_spells_to_new_keys() -%}
    {%- if load_cached_relation(this) is not none -%}
        merge into {{ this }} as spells
        using (
            select
                moved.segment_id,
                moved.from_key,
                moved.to_key,
                coalesce(max(case when staying.exited_on > moved.entered_on then 1 end), 0) = 1 as is_overlapped
            from {{ spells_of_changed_keys() }} as moved
            left join {{ this }} as staying
                on moved.segment_id = staying.segment_id and moved.to_key = staying.customer_key
            where moved.spell_rank = 1
            group by moved.segment_id, moved.from_key, moved.to_key, moved.entered_on
            having count(case when staying.exited_on is null and staying.entered_on <= moved.entered_on then 1 end) = 0
        ) as moved
        on
            spells.segment_id = moved.segment_id
            and spells.customer_key in (moved.from_key, moved.to_key)
            and (spells.exited_on is null or moved.is_overlapped)
        when matched then update set customer_key =
            case when spells.customer_key = moved.from_key then moved.to_key else moved.from_key end
    {%- endif -%}
{%- endmacro %}
