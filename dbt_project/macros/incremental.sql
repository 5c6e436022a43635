{#-
    How a build costs what its day costs. Three questions, answered in one place each: which files are new
    (`pending_rows`), is this build a full one (`is_full_build`), which rows does an incremental model replace
    (the strategy `replace_touched`).
-#}

{#-
    Whether everything is computed anew: asked for, or no finished build of this warehouse stands before this one
    (a fresh warehouse that looks at a past date has a previous date, but no consumed batch).
-#}
{% macro is_full_build() -%}
    {%- if flags.FULL_REFRESH or not run_date("previous_as_of_date") -%}
        {{ return(true) }}
    {%- endif -%}
    {%- if not execute or load_relation(source("ops", "batches")) is none -%}
        {{ return(false) }}
    {%- endif -%}
    {%- set query -%}
        select count(*) from {{ source("ops", "batches") }} where not is_pending
    {%- endset -%}
    {{ return(run_query(query).columns[0].values()[0] == 0) }}
{%- endmacro %}

{#- Whether an incremental model adds to what it has; else it computes and replaces everything. -#}
{% macro adds_to_history() -%}
    {{ return(is_incremental() and not renqun.is_full_build()) }}
{%- endmacro %}

{#-
    The rows of a staged relation that no finished build has consumed. The file names are literals, so that the
    engine opens these files and no others; `false` where nothing is pending. In a full build: all rows of the
    batches that the build knows of. `only_pending` decides for models that are no incremental ones. One name or a
    list of names; without a name: the files of all sources.
-#}
{% macro pending_rows(source_name=none, only_pending=none) -%}
    {%- if not (renqun.adds_to_history() if only_pending is none else only_pending) -%}
        _batch_id in (select batches.batch_id from {{ source("ops", "batches") }} as batches)
    {%- else -%}
        {{ renqun.in_literals("_raw_file", renqun.pending_values("raw_file", source_name)) }}
    {%- endif -%}
{%- endmacro %}

{#- The rows of pending batches in a table that keeps rows of all batches; literals, so that others are skipped. -#}
{% macro of_pending_batches(source_name) -%}
    {{ renqun.in_literals("_batch_id", renqun.pending_values("batch_id", source_name)) }}
{%- endmacro %}

{#- `column in ('a', 'b')`, or `false` for no values. -#}
{% macro in_literals(column, values) -%}
    {%- if values | length == 0 -%}
        false
    {%- else -%}
        {{ column }} in (
        {%- for value in values -%}
            '{{ value | string | replace("'", "''") }}'{{ ", " if not loop.last }}
        {%- endfor -%}
        )
    {%- endif -%}
{%- endmacro %}

{#- A column of the batches that no finished build has consumed, in a fixed order. -#}
{% macro pending_values(column, source_name=none) -%}
    {%- if not execute -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set query -%}
        select {{ column }}
        from {{ source("ops", "batches") }}
        where is_pending
        {%- if source_name %}
        and {{ renqun.in_literals("source", [source_name] if source_name is string else source_name) }}
        {%- endif %}
        order by 1
    {%- endset -%}
    {{ return(run_query(query).columns[0].values() | list) }}
{%- endmacro %}

{#-
    Incremental strategy: delete the rows whose key the build touched, then insert what the model computed for them.
    Unlike `delete+insert` it also removes keys that no longer have any row, and NULL keys cannot survive in it.
    Configuration: `touched_by` (name of the model that lists the touched keys), `touched_key` (the column, same
    name in both). A full build replaces everything. Running it twice changes nothing.
-#}
{% macro get_incremental_replace_touched_sql(arguments) -%}
    {%- set target = arguments["target_relation"] -%}
    {%- set columns = arguments["dest_columns"] | map(attribute="quoted") | join(", ") -%}
    {%- set touched_key = config.require("touched_key") -%}
    delete from {{ target }}
    {%- if not renqun.is_full_build() %}
    where {{ touched_key }} in (select {{ touched_key }} from {{ ref(config.require("touched_by")) }})
    {%- endif %};
    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ arguments["temp_relation"] }};
{%- endmacro %}

{#-
    Incremental strategy for tables that keep the rows of every batch: the rows of pending batches are replaced.
    The batches are literals, so that nothing else is read.
-#}
{% macro get_incremental_replace_pending_sql(arguments) -%}
    {%- set columns = arguments["dest_columns"] | map(attribute="quoted") | join(", ") -%}
    delete from {{ arguments["target_relation"] }}
    {%- if not renqun.is_full_build() %}
    where {{ renqun.in_literals("_batch_id", renqun.pending_values("batch_id")) }}
    {%- endif %};
    insert into {{ arguments["target_relation"] }} ({{ columns }})
    select {{ columns }} from {{ arguments["temp_relation"] }};
{%- endmacro %}

{#-
    Incremental strategy for tables kept by business date: the touched dates (literals of `touched_event_dates`)
    are replaced. Configuration: `touched_key`, the date column.
-#}
{% macro get_incremental_replace_dates_sql(arguments) -%}
    {%- set columns = arguments["dest_columns"] | map(attribute="quoted") | join(", ") -%}
    delete from {{ arguments["target_relation"] }}
    {%- if not renqun.is_full_build() %}
    where {{ renqun.in_literals(config.require("touched_key"), renqun.touched_event_dates()) }}
    {%- endif %};
    insert into {{ arguments["target_relation"] }} ({{ columns }})
    select {{ columns }} from {{ arguments["temp_relation"] }};
{%- endmacro %}

{#-
    Business dates up to D whose events this build changes, widened by a number of days before and after each.
-#}
{% macro touched_event_dates(before=0, after=0) -%}
    {%- set touched = ref("int_touched_visitor_days") -%}
    {%- if not execute or flags.WHICH not in ("build", "run", "retry") -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set query -%}
        select distinct {{ renqun.add_days("touched.event_date", "shifts.shift") }} as event_date
        from (select distinct event_date from {{ touched }}) as touched
        cross join (
            {%- for shift in range(-before, after + 1) %}
            select {{ shift }} as shift {{ "union all" if not loop.last }}
            {%- endfor %}
        ) as shifts
        order by 1
    {%- endset -%}
    {{ return(run_query(query).columns[0].values() | list) }}
{%- endmacro %}

{#-
    Marts are fed by work tables that hold what the build touched. A mart that is made anew (first build, or
    `--full-refresh`) therefore needs work tables of a full build, and says so instead of being silently short.
-#}
{% macro require_full_work_tables() -%}
    {%- set scope_relation = ref("int_build_scope") -%}
    {%- if execute and flags.WHICH in ("build", "run", "retry") and not is_incremental() -%}
        {%- set scope = run_query("select is_full from " ~ scope_relation) -%}
        {%- if scope.rows | length == 0 or not scope.rows[0][0] -%}
            {{ exceptions.raise_compiler_error(
                this.identifier ~ " is built anew, but its work tables hold only what the last build touched; "
                ~ "build models/intermediate with --full-refresh first"
            ) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#-
    Incremental strategy for tables that record what each build changed: what was recorded after the previous build
    never happened (a build may be killed and run again). Configuration: `touched_key`, the column with the date of
    the build.
-#}
{% macro get_incremental_replace_after_previous_sql(arguments) -%}
    {%- set columns = arguments["dest_columns"] | map(attribute="quoted") | join(", ") -%}
    delete from {{ arguments["target_relation"] }}
    {%- if not renqun.is_full_build() %}
    where {{ config.require("touched_key") }} > {{ renqun.previous_as_of_date() }}
    {%- endif %};
    insert into {{ arguments["target_relation"] }} ({{ columns }})
    select {{ columns }} from {{ arguments["temp_relation"] }};
{%- endmacro %}

{#-
    Incremental strategy for tables with one answer per key: the keys that were computed are replaced, in a full
    build everything. Configuration: `unique_key`.
-#}
{% macro get_incremental_replace_keys_sql(arguments) -%}
    {%- set columns = arguments["dest_columns"] | map(attribute="quoted") | join(", ") -%}
    {%- set key = arguments["unique_key"] -%}
    delete from {{ arguments["target_relation"] }}
    {%- if not renqun.is_full_build() %}
    where {{ key }} in (select computed.{{ key }} from {{ arguments["temp_relation"] }} as computed)
    {%- endif %};
    insert into {{ arguments["target_relation"] }} ({{ columns }})
    select {{ columns }} from {{ arguments["temp_relation"] }};
{%- endmacro %}
