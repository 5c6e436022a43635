{#- How fct_sessions finds the sessions that a build can change. -#}

{#- Days that a gap can bridge at most beyond the date of a changed event. -#}
{% macro session_reach_days() -%}
    {{ return(1 + var("session_gap_minutes") // 1440) }}
{%- endmacro %}

{#-
    Recorded sessions within one gap of a changed event. All others are further than a gap from every change and
    from every other session, so whatever the changed events become, they stay as they are. Sessions are looked up
    by date (literals); the rare ones that cross two midnights or more are looked at in any case.
-#}
{% macro sessions_in_reach() -%}
    {%- set reach = renqun.session_reach_days() -%}
    {%- set gap = var("session_gap_minutes") ~ " * 60" -%}
    {%- set near = renqun.in_literals(
        "session_date", renqun.touched_event_dates(before=reach + 1, after=reach)
    ) -%}
    select sessions.session_id, sessions.visitor_id, sessions.session_date, sessions.midnight_count,
        sessions.started_at, sessions.ended_at
    from (
        select session_id, visitor_id, session_date, midnight_count, started_at, ended_at
        from {{ this }}
        where {{ near }}
        union all
        select session_id, visitor_id, session_date, midnight_count, started_at, ended_at
        from {{ this }}
        where midnight_count > 1 and not ({{ near }})
    ) as sessions
    where exists (
        select 1
        from {{ ref("int_touched_visitor_days") }} as touched
        where
            touched.visitor_id = sessions.visitor_id
            and sessions.started_at <= {{ renqun.add_seconds("touched.last_changed_at", gap) }}
            and sessions.ended_at >= {{ renqun.add_seconds("touched.first_changed_at", "-" ~ gap) }}
    )
{%- endmacro %}

{#- The dates of the events of those sessions, and of the changed events. -#}
{% macro session_event_dates() -%}
    {%- set dates = renqun.touched_event_dates() -%}
    {%- if not execute or flags.WHICH not in ("build", "run", "retry") -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set query -%}
        select distinct session_date, midnight_count from ({{ renqun.sessions_in_reach() }}) as sessions_in_reach
    {%- endset -%}
    {%- set found = [] -%}
    {%- for row in run_query(query).rows -%}
        {%- for midnight in range((row[1] | int) + 1) -%}
            {%- do found.append(row[0] + modules.datetime.timedelta(days=midnight)) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return((dates + found) | unique | sort | list) }}
{%- endmacro %}

{#- Incremental strategy of fct_sessions: what is in reach goes, what was cut anew comes, in one transaction. -#}
{% macro get_incremental_replace_sessions_sql(arguments) -%}
    {%- set columns = arguments["dest_columns"] | map(attribute="quoted") | join(", ") -%}
    delete from {{ arguments["target_relation"] }}
    {%- if not renqun.is_full_build() %}
    where session_id in (select in_reach.session_id from ({{ renqun.sessions_in_reach() }}) as in_reach)
    {%- endif %};
    insert into {{ arguments["target_relation"] }} ({{ columns }})
    select {{ columns }} from {{ arguments["temp_relation"] }};
{%- endmacro %}
