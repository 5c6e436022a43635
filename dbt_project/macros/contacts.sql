{#- Phone numbers and e-mail addresses as a way to reach somebody. Vault only. -#}

{#- Whether a phone number in canonical form can be one: a country code and eight to fifteen digits in all. -#}
{% macro is_sound_phone(phone) -%}
    {{ return(adapter.dispatch("is_sound_phone", "renqun")(phone)) }}
{%- endmacro %}

{% macro duckdb__is_sound_phone(phone) -%}
    regexp_full_match({{ phone }}, '[+][1-9][0-9]{7,14}')
{%- endmacro %}

{% macro default__is_sound_phone(phone) -%}
    {{ phone }} rlike '^[+][1-9][0-9]{7,14}$'
{%- endmacro %}

{#- Whether an e-mail address in canonical form can be one: one at sign, a dot behind it, no blanks. -#}
{% macro is_sound_email(email) -%}
    {{ return(adapter.dispatch("is_sound_email", "renqun")(email)) }}
{%- endmacro %}

{% macro duckdb__is_sound_email(email) -%}
    regexp_full_match({{ email }}, '[^@ ]+@[^@ ]+[.][^@ ]+')
{%- endmacro %}

{% macro default__is_sound_email(email) -%}
    {{ email }} rlike '^[^@ ]+@[^@ ]+[.][^@ ]+$'
{%- endmacro %}

{#-
    The rows of `said` beside the persons they are about: by customer id, by phone and by e-mail address. A row that
    names several persons comes once for each; one that names nobody of the shop does not come. `is_strongest` marks the
    person whom the most trusted identifier names.
-#}
{% macro persons_of(said, columns) %}
    select
        {% for column in columns -%}
        {{ column }},
        {% endfor -%}
        customer_key,
        min(trust) = min(strongest_trust) as is_strongest
    from (
        select named.*, min(named.trust) over (partition by named.statement_key) as strongest_trust
        from (
            {% for kind, value in [
                ("member_id", "said.customer_id"),
                ("phone_hash", renqun.contact_hash("said.phone")),
                ("email_hash", renqun.contact_hash("said.email")),
            ] -%}
            select said.*, persons.customer_key, {{ renqun.identifier_kinds()[kind] }} as trust
            from {{ said }} as said
            inner join {{ renqun.customers_by(kind) }} as persons on {{ value }} = persons.identifier_value
            {{ "union all" if not loop.last }}
            {% endfor %}
        ) as named
    ) as persons_named
    group by {{ columns | join(", ") }}, customer_key
{%- endmacro %}
