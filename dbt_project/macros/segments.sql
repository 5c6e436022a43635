{#-
    The catalogue of segments: seed `segments` says what a segment is, and its `rule` finds the members among the
    customers' measures. A rule is conditions joined by ` and `:

        measure operator value          = != < <= > >=   a number, a text, true or false, or var:name
        measure in (value, value)       one of these
        measure contains value          the list holds it
        measure is null | is not null

    A condition over a measure that is null does not hold, `!=` included. Nothing of a rule reaches SQL as it stands:
    measures are names of seed `segment_facts`, operators come from the list below, values are proven by their kind.
-#}

{#- Members come from these: `rules`, models named int_segment_members__<name>, and the union that int_segment_members makes. -#}
{% macro segment_models() -%}
    {{ return(["interest", "new_customer", "repurchase", "rfm", "rules", "key_operating"]) }}
{%- endmacro %}

{#- The seed's rows; nothing while dbt only parses. Unit tests override it. -#}
{% macro segment_catalogue() -%}
    {%- set catalogue = ref("segments") -%}
    {{ return(renqun.seed_rows(catalogue, ["segment_id", "model", "rule", "facts", "definition", "definition_zh"])) }}
{%- endmacro %}

{#- Kind of every measure that rules and facts may name: {measure: kind}. Unit tests override it. -#}
{% macro segment_measures() -%}
    {%- set facts = ref("segment_facts") -%}
    {%- set kinds = {} -%}
    {%- for row in renqun.seed_rows(facts, ["fact", "kind", "is_measure"]) if row["is_measure"] -%}
        {%- do kinds.update({row["fact"]: row["kind"]}) -%}
    {%- endfor -%}
    {{ return(kinds) }}
{%- endmacro %}

{% macro seed_rows(relation, columns) -%}
    {%- set rows = [] -%}
    {%- if execute -%}
        {%- for row in run_query("select " ~ columns | join(", ") ~ " from " ~ relation ~ " order by 1").rows -%}
            {%- do rows.append(dict(zip(columns, row.values()))) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(rows) }}
{%- endmacro %}

{#-
    The catalogue, proven: [{segment_id, model, conditions: [sql], facts: [measure]}]. Whatever is wrong in it is said at
    once, by segment and part.
-#}
{% macro proven_segments(catalogue, measures) -%}
    {%- set proven = [] -%}
    {%- set faults = [] -%}
    {%- for row in catalogue -%}
        {%- set found = renqun.prove_segment(row, measures) -%}
        {%- do proven.append(found) -%}
        {%- for fault in found["faults"] -%}
            {%- do faults.append("segment '" ~ row["segment_id"] ~ "': " ~ fault) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if faults -%}
        {{ exceptions.raise_compiler_error("seeds/segments.csv is not sound:\n  " ~ faults | join("\n  ")) }}
    {%- endif -%}
    {{ return(proven) }}
{%- endmacro %}

{#- One row of the catalogue with its conditions as SQL, and what is wrong with it. -#}
{% macro prove_segment(row, measures) -%}
    {%- set conditions = [] -%}
    {%- set faults = [] -%}
    {%- if not modules.re.fullmatch("^[a-z][a-z0-9_]*$", row["segment_id"] or "") -%}
        {%- do faults.append("the id must be of small letters, digits and _, beginning with a letter") -%}
    {%- endif -%}
    {%- if row["model"] not in renqun.segment_models() -%}
        {%- do faults.append("model '" ~ row["model"] ~ "' is unknown; known: " ~ renqun.segment_models() | join(", ")) -%}
    {%- elif row["model"] == "rules" and not row["rule"] -%}
        {%- do faults.append("the model 'rules' needs a rule") -%}
    {%- elif row["model"] != "rules" and row["rule"] -%}
        {%- do faults.append("only the model 'rules' reads a rule, and the segment's is '" ~ row["model"] ~ "'") -%}
    {%- endif -%}
    {%- for part in (row["rule"] or "").split(" and ") if row["rule"] -%}
        {%- set found = renqun.prove_condition(part, measures) -%}
        {%- if found["fault"] -%}
            {%- do faults.append("condition '" ~ part | trim ~ "': " ~ found["fault"]) -%}
        {%- else -%}
            {%- do conditions.append(found["sql"]) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set facts = (row["facts"] or "").split("|") -%}
    {%- for fact in facts if fact not in measures -%}
        {%- do faults.append("fact '" ~ fact ~ "' is no measure; measures: " ~ measures | sort | join(", ")) -%}
    {%- endfor -%}
    {%- for name in renqun.vars_in_definition(row) if var(name, none) is none -%}
        {%- do faults.append("the definition names {" ~ name ~ "}, and no var is called so") -%}
    {%- endfor -%}
    {{ return({
        "segment_id": row["segment_id"], "model": row["model"], "conditions": conditions, "facts": facts, "faults": faults
    }) }}
{%- endmacro %}

{#- A condition as {sql, fault}: one of the two is none. -#}
{% macro prove_condition(text, measures) -%}
    {%- set form = "^ *([a-z][a-z0-9_]*) +(is not null|is null|in|contains|!=|<=|>=|=|<|>)(?: +([^ ].*?))? *$" -%}
    {%- set parts = modules.re.fullmatch(form, text) -%}
    {%- if not parts -%}
        {{ return({"fault": "it must read 'measure operator value', with blanks between"}) }}
    {%- endif -%}
    {%- set measure, operator, value = parts.groups() -%}
    {%- if measure not in measures -%}
        {{ return({"fault": "'" ~ measure ~ "' is no measure; measures: " ~ measures | sort | join(", ")}) }}
    {%- endif -%}
    {%- set kind = measures[measure] -%}
    {%- set allowed = renqun.rule_operators(kind) -%}
    {%- if operator not in allowed -%}
        {{ return({"fault": "'" ~ operator ~ "' does not go with a " ~ kind ~ "; allowed: " ~ allowed | join(", ")}) }}
    {%- endif -%}
    {%- if operator in ("is null", "is not null") -%}
        {{ return({"sql": measure ~ " " ~ operator} if not value else {"fault": "nothing may stand after '" ~ operator ~ "'"}) }}
    {%- endif -%}
    {%- set items = [value or ""] -%}
    {%- if operator == "in" -%}
        {%- set list = modules.re.fullmatch("^[(](.*)[)]$", value or "") -%}
        {%- if not list -%}
            {{ return({"fault": "'in' needs a list: (a, b)"}) }}
        {%- endif -%}
        {%- set items = list.group(1).split(",") -%}
    {%- endif -%}
    {%- set literals = [] -%}
    {%- for item in items -%}
        {%- set literal = renqun.prove_value(item | trim, kind) -%}
        {%- if literal["fault"] -%}
            {{ return(literal) }}
        {%- endif -%}
        {%- do literals.append(literal["sql"]) -%}
    {%- endfor -%}
    {%- if operator == "in" -%}
        {{ return({"sql": measure ~ " in (" ~ literals | join(", ") ~ ")"}) }}
    {%- elif operator == "contains" -%}
        {{ return({"sql": renqun.list_holds(measure, literals[0])}) }}
    {%- endif -%}
    {{ return({"sql": measure ~ " " ~ operator ~ " " ~ literals[0]}) }}
{%- endmacro %}

{#- What may be asked of a kind of measure. A date is a fact; conditions ask for its age, so that they are as of D. -#}
{% macro rule_operators(kind) -%}
    {%- set of_numbers = ["=", "!=", "<", "<=", ">", ">=", "in", "is null", "is not null"] -%}
    {{ return({
        "whole": of_numbers,
        "amount": of_numbers,
        "share": of_numbers,
        "text": ["=", "!=", "in", "is null", "is not null"],
        "flag": ["="],
        "date": ["is null", "is not null"],
        "list": ["contains"],
    }[kind]) }}
{%- endmacro %}

{#- A value, or the var that it names, as {sql} with the literal in its type; {fault} where it does not fit the kind. -#}
{% macro prove_value(text, kind) -%}
    {%- set name = modules.re.fullmatch("^var:([a-z][a-z0-9_]*)$", text) -%}
    {%- if name and var(name.group(1), none) is none -%}
        {{ return({"fault": "no var is called '" ~ name.group(1) ~ "'"}) }}
    {%- endif -%}
    {%- set value = var(name.group(1)) | string if name else text -%}
    {%- set forms = {
        "whole": ["^-?[0-9]{1,18}$", "a whole number"],
        "amount": ["^-?[0-9]{1,12}([.][0-9]{1,2})?$", "an amount with at most two decimals"],
        "share": ["^[0-9]{1,3}([.][0-9]{1,6})?$", "a share with at most six decimals"],
        "text": ["^[\\w .:/+-]{1,100}$", "a text of letters, digits, blanks and . : / + - _"],
        "list": ["^[\\w .:/+-]{1,100}$", "a text of letters, digits, blanks and . : / + - _"],
        "flag": ["^(true|false)$", "true or false"],
    } -%}
    {%- set form, words = forms[kind] -%}
    {%- if not modules.re.fullmatch(form, value | lower if kind == "flag" else value) -%}
        {{ return({"fault": "'" ~ text ~ "'" ~ (" is '" ~ value ~ "', and" if name else "") ~ " must be " ~ words}) }}
    {%- endif -%}
    {{ return({"sql": {
        "whole": "cast(" ~ value ~ " as bigint)",
        "amount": "cast(" ~ value ~ " as decimal(18, 2))",
        "share": "cast(" ~ value ~ " as decimal(9, 6))",
        "text": "'" ~ value ~ "'",
        "list": "'" ~ value ~ "'",
        "flag": value | lower,
    }[kind]}) }}
{%- endmacro %}

{#- The facts of a segment as JSON text, out of int_customer_measures. Dates and decimals as text: exact on every engine. -#}
{% macro facts_json(facts, measures, relation="") -%}
    {%- set prefix = relation ~ "." if relation else "" -%}
    {%- set pairs = [] -%}
    {%- for fact in facts -%}
        {%- set column = prefix ~ fact -%}
        {%- do pairs.append((
            fact, "cast(" ~ column ~ " as varchar)" if measures[fact] in ("date", "amount", "share") else column
        )) -%}
    {%- endfor -%}
    {{ renqun.json_object_text(pairs) }}
{%- endmacro %}

{#- The vars that the definitions of a row name as {name}. -#}
{% macro vars_in_definition(row) -%}
    {{ return(modules.re.findall("[{]([a-z][a-z0-9_]*)[}]", (row["definition"] or "") ~ (row["definition_zh"] or ""))) }}
{%- endmacro %}

{#- A text of the catalogue with the values of the vars that it names between `before` and `after`. -#}
{% macro with_var_values(column, catalogue, before, after="") -%}
    {%- set names = [] -%}
    {%- for row in catalogue -%}
        {%- for name in modules.re.findall(modules.re.escape(before) ~ "([a-z][a-z0-9_]*)", row[column] or "") -%}
            {%- do names.append(name) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set text = namespace(sql=column) -%}
    {#- From z to a: a name comes before the shorter one that it begins with. -#}
    {%- for name in names | unique | sort(reverse=true) -%}
        {%- set value = var(name) | string | replace("'", "''") -%}
        {%- set text.sql = "replace(" ~ text.sql ~ ", '" ~ before ~ name ~ after ~ "', '" ~ value ~ "')" -%}
    {%- endfor -%}
    {{ text.sql }}
{%- endmacro %}

{#- Whether a list holds a value; never NULL where the list is not. -#}
{% macro list_holds(list, value) -%}
    {{ return(adapter.dispatch("list_holds", "renqun")(list, value)) }}
{%- endmacro %}

{% macro duckdb__list_holds(list, value) -%}
    list_contains({{ list }}, {{ value }})
{%- endmacro %}

{% macro default__list_holds(list, value) -%}
    array_contains({{ list }}, {{ value }})
{%- endmacro %}
