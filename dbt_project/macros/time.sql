{#- Time: stored in UTC, dated in the shop's zone. The only macros that know a zone. -#}

{#-
    A date of the run as text. A build reads it from the warehouse when a model runs, not from `--vars`: vars are
    part of what a parsed project is good for, and a project that is parsed anew every day costs more than the day.
    Unit tests and ad hoc runs (`dates_from: vars`) take the vars.
-#}
{% macro run_date(name) -%}
    {%- if var("dates_from") == "warehouse" and execute -%}
        {{ return(run_query("select cast(" ~ name ~ " as varchar) from ops.current_build").columns[0].values()[0] or "") }}
    {%- endif -%}
    {{ return(var(name)) }}
{%- endmacro %}

{#- The business date D of the run, as a literal. -#}
{% macro as_of_date() -%}
    cast('{{ run_date("as_of_date") }}' as date)
{%- endmacro %}

{#- The date up to which earlier builds have shown facts; a date before all facts where there was none. -#}
{% macro previous_as_of_date() -%}
    cast('{{ run_date("previous_as_of_date") or "0001-01-01" }}' as date)
{%- endmacro %}

{#-
    The UTC timestamp of a text cell (ISO 8601); a cell without an offset is in the shop's zone, or in `zone`, where
    the platform writes one of its own whatever the shop's is.
-#}
{% macro to_utc(text, zone=none) -%}
    {{ return(adapter.dispatch("to_utc", "renqun")(text, zone or var("time_zone"))) }}
{%- endmacro %}

{#- An offset can only stand behind the date: `substr(…, 11)` keeps the date's own hyphens out. -#}
{% macro duckdb__to_utc(text, zone) -%}
    case
        when regexp_matches(substr({{ text }}, 11), '[Zz+-]')
            then timezone('UTC', cast({{ text }} as timestamptz))
        else timezone('UTC', timezone('{{ zone }}', cast({{ text }} as timestamp)))
    end
{%- endmacro %}

{% macro default__to_utc(text, zone) -%}
    case
        when substr({{ text }}, 11) rlike '[Zz+-]' then to_utc_timestamp(cast({{ text }} as timestamp), 'UTC')
        else to_utc_timestamp(cast({{ text }} as timestamp), '{{ zone }}')
    end
{%- endmacro %}

{#- The UTC timestamp of a cell of Taobao, Tmall or 阿里妈妈, which write Chinese time wherever the shop is. -#}
{% macro chinese_time(text) -%}
    {{ renqun.to_utc(text, "Asia/Shanghai") }}
{%- endmacro %}

{#- The business date (in the shop's zone) of a UTC timestamp. -#}
{% macro business_date(utc_at) -%}
    {{ return(adapter.dispatch("business_date", "renqun")(utc_at)) }}
{%- endmacro %}

{% macro duckdb__business_date(utc_at) -%}
    cast(timezone('{{ var("time_zone") }}', timezone('UTC', {{ utc_at }})) as date)
{%- endmacro %}

{% macro default__business_date(utc_at) -%}
    to_date(from_utc_timestamp({{ utc_at }}, '{{ var("time_zone") }}'))
{%- endmacro %}

{#- `utc_at` moved by a whole number of seconds (an expression or a literal). -#}
{% macro add_seconds(utc_at, seconds) -%}
    {{ return(adapter.dispatch("add_seconds", "renqun")(utc_at, seconds)) }}
{%- endmacro %}

{% macro duckdb__add_seconds(utc_at, seconds) -%}
    ({{ utc_at }} + to_seconds({{ seconds }}))
{%- endmacro %}

{% macro default__add_seconds(utc_at, seconds) -%}
    ({{ utc_at }} + make_interval(0, 0, 0, 0, 0, 0, {{ seconds }}))
{%- endmacro %}

{#- Whole seconds from `from_at` to `to_at`, not earlier than it; what is left of a second is left out. -#}
{% macro seconds_between(from_at, to_at) -%}
    {{ return(adapter.dispatch("seconds_between", "renqun")(from_at, to_at)) }}
{%- endmacro %}

{% macro duckdb__seconds_between(from_at, to_at) -%}
    ((epoch_us({{ to_at }}) - epoch_us({{ from_at }})) // 1000000)
{%- endmacro %}

{% macro default__seconds_between(from_at, to_at) -%}
    ((unix_micros({{ to_at }}) - unix_micros({{ from_at }})) div 1000000)
{%- endmacro %}

{#- Whole business days from `from_date` to `to_date`: the age of `from_date` as of `to_date`. -#}
{% macro days_between(from_date, to_date) -%}
    {{ return(adapter.dispatch("days_between", "renqun")(from_date, to_date)) }}
{%- endmacro %}

{% macro duckdb__days_between(from_date, to_date) -%}
    date_diff('day', {{ from_date }}, {{ to_date }})
{%- endmacro %}

{% macro default__days_between(from_date, to_date) -%}
    datediff({{ to_date }}, {{ from_date }})
{%- endmacro %}

{#- A date moved by a whole number of days, again a date. -#}
{% macro add_days(date, days) -%}
    {{ return(adapter.dispatch("add_days", "renqun")(date, days)) }}
{%- endmacro %}

{% macro duckdb__add_days(date, days) -%}
    ({{ date }} + cast({{ days }} as integer))
{%- endmacro %}

{% macro default__add_days(date, days) -%}
    date_add({{ date }}, cast({{ days }} as integer))
{%- endmacro %}

{#- A fixed-width text of a UTC timestamp, to the microsecond, for keys. -#}
{% macro timestamp_text(utc_at) -%}
    {{ return(adapter.dispatch("timestamp_text", "renqun")(utc_at)) }}
{%- endmacro %}

{% macro duckdb__timestamp_text(utc_at) -%}
    strftime({{ utc_at }}, '%Y-%m-%dT%H:%M:%S.%fZ')
{%- endmacro %}

{% macro default__timestamp_text(utc_at) -%}
    date_format({{ utc_at }}, "yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'")
{%- endmacro %}
