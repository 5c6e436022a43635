{#- What staging says about every raw relation, said once. -#}

{#- The rows that a build may see: sound ones, of exports dated on or before D. -#}
{% macro accepted_rows(folder_date) -%}
    _quarantine_reason is null and {{ folder_date }} <= {{ renqun.as_of_date() }}
{%- endmacro %}

{#- Where a row comes from; last in every staging model. -#}
{% macro row_origin(folder_date) -%}
    {{ folder_date }} as _folder_date,
    _exported_at,
    _batch_id,
    _source_file,
    _source_row,
    _content_hash,
    _raw_file
{%- endmacro %}

{#- A phone number in one form: digits only, mainland numbers with their country code (+86138…). -#}
{% macro canonical_phone(text) -%}
    case
        when coalesce(regexp_replace({{ text }}, '[^0-9]', '', 'g'), '') = '' then null
        when regexp_replace({{ text }}, '[^0-9]', '', 'g') like '1__________'
            then concat('+86', regexp_replace({{ text }}, '[^0-9]', '', 'g'))
        when regexp_replace({{ text }}, '[^0-9]', '', 'g') like '00%'
            then concat('+', substr(regexp_replace({{ text }}, '[^0-9]', '', 'g'), 3))
        else concat('+', regexp_replace({{ text }}, '[^0-9]', '', 'g'))
    end
{%- endmacro %}

{#- An e-mail address in one form. -#}
{% macro canonical_email(text) -%}
    nullif(lower(trim({{ text }})), '')
{%- endmacro %}

{#- The first non-empty value of a column by row of the file: how a field of a whole order is told line by line. -#}
{% macro first_given(column) -%}
    min_by({{ column }}, case when {{ column }} is not null then _source_row end)
{%- endmacro %}
