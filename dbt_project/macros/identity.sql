{#- Who is who: identifiers, their trust, and the keys made of them. Definition: docs/definitions/people.md -#}

{#- Kinds of identifier that make a customer, the most trusted first, and how much each is trusted (1 is most). -#}
{% macro identifier_kinds() -%}
    {{ return({"open_uid": 1, "member_id": 2, "phone_hash": 3, "email_hash": 4}) }}
{%- endmacro %}

{#- The key of an identifier; `kind` and `value` are SQL. The key of a person is that of one of its identifiers. -#}
{% macro identifier_key(kind, value) -%}
    md5(concat({{ kind }}, ':', {{ value }}))
{%- endmacro %}

{#- The hash under which a phone number or an e-mail address in canonical form is an identifier. -#}
{% macro contact_hash(contact) -%}
    {{ return(adapter.dispatch("contact_hash", "renqun")(contact)) }}
{%- endmacro %}

{% macro duckdb__contact_hash(contact) -%} sha256({{ contact }}) {%- endmacro %}

{% macro default__contact_hash(contact) -%} sha2({{ contact }}, 256) {%- endmacro %}

{#-
    The identity records that this build sees for the first time: of pending batches, or dated after the build
    before; in a full build all. Records dated after D wait.
-#}
{% macro records_of_this_build() -%}
    seen_date <= {{ renqun.as_of_date() }}
    {%- if renqun.adds_to_history() %}
    and (seen_date > {{ renqun.previous_as_of_date() }} or {{ renqun.of_pending_batches(none) }})
    {%- endif %}
{%- endmacro %}

{#-
    A subquery: the identifiers of one kind that belong to somebody, with that person's key. Those in quarantine
    belong to nobody and are absent.
-#}
{% macro customers_by(kind) -%}
    (
        select identifier_value, customer_key from {{ ref("int_identifier_customers") }}
        where identifier_kind = '{{ kind }}' and customer_key is not null
    )
{%- endmacro %}

{#- A subquery: the identifiers whose person is another since the build before (known ones only), with its key now. -#}
{% macro rekeyed_identifiers(kind=none) -%}
    (
        select identifier_value, identifier_key, customer_key from {{ ref("int_identifier_customers") }}
        where
            rekeyed_on > {{ renqun.previous_as_of_date() }}
            {%- if kind %} and identifier_kind = '{{ kind }}' {%- endif %}
    )
{%- endmacro %}

{#-
    Before a table of visitors' days is added to: days of earlier builds follow the persons that they name.
-#}
{% macro rekey_visitor_days() -%}
    {%- if load_cached_relation(this) is not none and not renqun.is_full_build() -%}
        merge into {{ this }} as days
        using (
            select
                named.customer_id,
                named.open_uid,
                coalesce(open_uids.customer_key, member_ids.customer_key) as customer_key
            from (
                select distinct customer_id, open_uid from {{ this }}
                where
                    customer_id in (select rekeyed.identifier_value from {{ rekeyed_identifiers("member_id") }} as rekeyed)
                    or open_uid in (select rekeyed.identifier_value from {{ rekeyed_identifiers("open_uid") }} as rekeyed)
            ) as named
            left join {{ customers_by("open_uid") }} as open_uids on named.open_uid = open_uids.identifier_value
            left join {{ customers_by("member_id") }} as member_ids on named.customer_id = member_ids.identifier_value
        ) as rekeyed
        on
            coalesce(days.customer_id, '') = coalesce(rekeyed.customer_id, '')
            and coalesce(days.open_uid, '') = coalesce(rekeyed.open_uid, '')
        when matched then update set customer_key = rekeyed.customer_key
    {%- endif -%}
{%- endmacro %}

{#-
    Works out the clusters of identifiers before int_identifier_customers selects them: tables `<work>nodes`
    (identifier_key, label, is_quarantined) and `<work>roots` (label, root). Labels are ranks by first raw date, trust
    and value, so that the root of a cluster is the identifier that names the person. Only clusters that hold an
    identifier of this build are worked out; in a full build all.
-#}
{% macro cluster_identifiers(work) -%}
    {%- set identifiers = ref("int_identifiers") -%}
    {%- set links = ref("int_identifier_links") -%}
    {%- if execute and flags.WHICH in ("build", "run", "retry") -%}
        {%- set touched = "select identifier_key from " ~ identifiers ~ " where touched_on > " ~ renqun.previous_as_of_date() -%}
        {%- call statement("clusters") -%}
            create or replace table {{ work }}nodes as
            select
                identifiers.identifier_key,
                row_number() over (
                    order by identifiers.first_raw_date, identifiers.trust, identifiers.identifier_value
                ) as label,
                quarantined.weaker_key is not null as is_quarantined
            from {{ identifiers }} as identifiers
            left join (
                select distinct weaker_key from {{ links }} where stronger_count > {{ var("identity_max_degree") }}
            ) as quarantined on identifiers.identifier_key = quarantined.weaker_key
            {%- if renqun.adds_to_history() %}
            where
                identifiers.identifier_key in ({{ touched }})
                or identifiers.identifier_key in (
                    select members.identifier_key from {{ this }} as members
                    where members.customer_key in (
                        select known.customer_key from {{ this }} as known
                        where known.identifier_key in ({{ touched }})
                    )
                )
            {%- endif %}
        {%- endcall -%}
        {%- call statement("clusters") -%}
            create or replace table {{ work }}edges as
            select stronger.label as label_a, weaker.label as label_b
            from {{ links }} as links
            inner join {{ work }}nodes as weaker on links.weaker_key = weaker.identifier_key
            inner join {{ work }}nodes as stronger on links.stronger_key = stronger.identifier_key
            where not weaker.is_quarantined and not stronger.is_quarantined
        {%- endcall -%}
        {{ connect_components(work) }}
    {%- endif -%}
{%- endmacro %}

{#- The working tables of the clusters of identifiers; unit tests put rows in their place. -#}
{% macro identity_nodes() -%} {{ this.schema }}.identity_nodes {%- endmacro %}

{% macro identity_roots() -%} {{ this.schema }}.identity_roots {%- endmacro %}

{#- An id out of a name that reaches somebody, where a platform has no other: readers see a hash. No customer has one. -#}
{% macro contact_id(kind, contact) -%}
    case when {{ contact }} is not null then concat('{{ kind }}:', {{ contact_hash(contact) }}) end
{%- endmacro %}

{#- Key of the strongest identifier of a raw row of members; NULL: it has none. -#}
{% macro member_identifier_key() -%}
    case
        when open_uid is not null then {{ renqun.identifier_key("'open_uid'", "open_uid") }}
        when {{ renqun.unmasked("customer_id") }} is not null
            then {{ renqun.identifier_key("'member_id'", renqun.unmasked("customer_id")) }}
        when {{ renqun.canonical_phone("phone") }} is not null
            then {{ renqun.identifier_key("'phone_hash'", renqun.contact_hash(renqun.canonical_phone("phone"))) }}
        when {{ renqun.canonical_email("email") }} is not null
            then {{ renqun.identifier_key("'email_hash'", renqun.contact_hash(renqun.canonical_email("email"))) }}
    end
{%- endmacro %}
