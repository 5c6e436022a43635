{#- What the models of items seen and bought together share. -#}

{#-
    CTEs `sized`, `kept` and `pair_counts`: in how many baskets two items lie together. `baskets` has `keys` (columns that
    split the count, may be none), basket_id and item_id, distinct. Baskets with too many items are left out: their pairs
    are the square of that, and say little. Of every pair one row, the smaller item first; an item beside itself: the baskets
    that hold it; NULL beside NULL: all baskets.
-#}
{% macro pair_count_ctes(baskets, keys) -%}
sized as (
    select *, count(*) over (partition by basket_id) as item_count from {{ baskets }}
),

kept as (
    select * from sized where item_count <= {{ var("affinity_max_items") }}
),

pair_counts as (
    select
        {% for key in keys %}one.{{ key }}, {% endfor %}one.item_id, other.item_id as other_item_id,
        count(*) as basket_count
    from kept as one
    inner join kept as other on one.basket_id = other.basket_id and one.item_id <= other.item_id
    group by {% for key in keys %}one.{{ key }}, {% endfor %}one.item_id, other.item_id
    union all
    select
        {% for key in keys %}{{ key }}, {% endfor %}null as item_id, null as other_item_id,
        count(distinct basket_id) as basket_count
    from kept
    {%- if keys %}
    group by {{ keys | join(", ") }}
    {%- endif %}
)
{%- endmacro %}

{#-
    Dates of the sessions that this build may have cut anew: a changed event moves sessions of the day before and the day
    after at most, and those that reach over midnights to it.
-#}
{% macro touched_session_dates() -%}
    {%- set reach = renqun.session_reach_days() -%}
    {%- set sessions = ref("fct_sessions") -%}
    {%- set touched = renqun.touched_event_dates(before=reach, after=reach) -%}
    {%- if not execute or flags.WHICH not in ("build", "run", "retry") or touched | length == 0 -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set query -%}
        select distinct session_date
        from {{ sessions }}
        where
            midnight_count > 0
            and exists (
                select 1 from (
                    {%- for day in touched %}
                    select cast('{{ day }}' as date) as touched_date {{ "union all" if not loop.last }}
                    {%- endfor %}
                ) as days
                where
                    days.touched_date >= session_date
                    and days.touched_date <= {{ renqun.add_days("session_date", "midnight_count") }}
            )
    {%- endset -%}
    {{ return((touched + (run_query(query).columns[0].values() | list)) | unique | sort | list) }}
{%- endmacro %}

{#- The last day that no longer counts as of D. -#}
{% macro affinity_cutoff() -%}
    {{ renqun.add_days(renqun.as_of_date(), -var("affinity_days")) }}
{%- endmacro %}

{#- Incremental strategy of models kept by session date: days of sessions cut anew are replaced, days too old go. -#}
{% macro get_incremental_replace_session_dates_sql(arguments) -%}
    {%- set key = config.require("touched_key") -%}
    {%- set columns = arguments["dest_columns"] | map(attribute="quoted") | join(", ") -%}
    delete from {{ arguments["target_relation"] }}
    {%- if not renqun.is_full_build() %}
    where {{ key }} <= {{ renqun.affinity_cutoff() }} or {{ renqun.in_literals(key, renqun.touched_session_dates()) }}
    {%- endif %};
    insert into {{ arguments["target_relation"] }} ({{ columns }})
    select {{ columns }} from {{ arguments["temp_relation"] }};
{%- endmacro %}
