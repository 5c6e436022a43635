{#- Which of several downloads of a platform's figures is the newest. -#}

{#-
    A total order of files, the newest first: the larger date of the folder, then the name. A browser that has `name.xls`
    already saves the next download as `name (1).xls` or `name(1).xls`: that is the first download after the bare name,
    (2) the second, (10) the tenth. For figures of days; orders and events go by the plain name.
-#}
{% macro newest_file() -%}
    _folder_date desc,
    {{ renqun.bare_file_name() }} desc,
    {{ renqun.download_number() }} desc,
    _source_file desc,
    _batch_id desc
{%- endmacro %}

{#- Number, blank and brackets that a browser puts before the extension, in three parts: name, number, extension. -#}
{% macro _download_part(part) -%}
    regexp_extract(_source_file, '^(.*?) ?[(（]([0-9]{1,3})[)）]([.][A-Za-z0-9.]+)?$', {{ part }})
{%- endmacro %}

{#- The name without the number of the download: `a (2).csv` is `a.csv`. -#}
{% macro bare_file_name() -%}
    case
        when {{ renqun._download_part(2) }} = '' then _source_file
        else concat({{ renqun._download_part(1) }}, coalesce({{ renqun._download_part(3) }}, ''))
    end
{%- endmacro %}

{#- The number of the download; 0 for the bare name. -#}
{% macro download_number() -%}
    coalesce(cast(nullif({{ renqun._download_part(2) }}, '') as integer), 0)
{%- endmacro %}
