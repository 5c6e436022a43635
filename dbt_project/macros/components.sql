{#-
    Connected components in SQL, run to convergence inside one model. Each round every label takes the smallest label
    next to it as its parent, parents of parents are looked up until nothing moves (which halves the way each time),
    and the edges between what is now one are dropped. A component of n labels needs about log2(n) rounds.
-#}

{#- More rounds than any component of 2^60 labels can need: reaching it is an error of the SQL, not of the data. -#}
{% macro component_max_rounds() -%} 64 {%- endmacro %}

{#-
    Before: table `<work>edges` (label_a, label_b: whole numbers, each edge once or more, any direction).
    After: table `<work>roots` (label, root): the smallest label of each label's component; labels without an edge
    are absent. All tables that it makes begin with `work`.
-#}
{% macro connect_components(work) -%}
    {%- set rounds = component_max_rounds() | int -%}
    {%- call statement("components") -%}
        create or replace table {{ work }}roots as
        select label, label as root
        from (select label_a as label from {{ work }}edges union select label_b as label from {{ work }}edges) as labels
    {%- endcall -%}
    {%- set state = namespace(is_open=run_query("select count(*) from " ~ work ~ "roots").columns[0].values()[0] | int > 0) -%}
    {%- for round in range(rounds) if state.is_open -%}
        {%- call statement("components") -%}
            create or replace table {{ work }}parents as
            select label, least(label, min(neighbour)) as parent
            from (
                select label_a as label, label_b as neighbour from {{ work }}edges
                union all
                select label_b as label, label_a as neighbour from {{ work }}edges
            ) as neighbours
            group by label
        {%- endcall -%}
        {%- set jump = namespace(total="", is_moving=true) -%}
        {%- for step in range(rounds) if jump.is_moving -%}
            {%- call statement("components") -%}
                create or replace table {{ work }}grandparents as
                select parents.label, grandparents.parent
                from {{ work }}parents as parents
                inner join {{ work }}parents as grandparents on parents.parent = grandparents.label
            {%- endcall -%}
            {%- call statement("components") -%}
                create or replace table {{ work }}parents as select label, parent from {{ work }}grandparents
            {%- endcall -%}
            {#- Parents only ever become smaller: an unchanged sum says that nothing moved. -#}
            {%- set total = run_query(
                "select cast(sum(parent) as varchar) from " ~ work ~ "parents"
            ).columns[0].values()[0] -%}
            {%- set jump.is_moving = total != jump.total -%}
            {%- set jump.total = total -%}
        {%- endfor -%}
        {%- call statement("components") -%}
            create or replace table {{ work }}next_roots as
            select roots.label, coalesce(parents.parent, roots.root) as root
            from {{ work }}roots as roots
            left join {{ work }}parents as parents on roots.root = parents.label
        {%- endcall -%}
        {%- call statement("components") -%}
            create or replace table {{ work }}roots as select label, root from {{ work }}next_roots
        {%- endcall -%}
        {%- call statement("components") -%}
            create or replace table {{ work }}next_edges as
            select distinct
                least(parents_a.parent, parents_b.parent) as label_a,
                greatest(parents_a.parent, parents_b.parent) as label_b
            from {{ work }}edges as edges
            inner join {{ work }}parents as parents_a on edges.label_a = parents_a.label
            inner join {{ work }}parents as parents_b on edges.label_b = parents_b.label
            where parents_a.parent <> parents_b.parent
        {%- endcall -%}
        {%- call statement("components") -%}
            create or replace table {{ work }}edges as select label_a, label_b from {{ work }}next_edges
        {%- endcall -%}
        {%- set state.is_open = run_query("select count(*) from " ~ work ~ "edges").columns[0].values()[0] | int > 0 -%}
    {%- endfor -%}
    {%- if state.is_open -%}
        {{ exceptions.raise_compiler_error("components did not converge in " ~ rounds ~ " rounds") }}
    {%- endif -%}
{%- endmacro %}

{#- Drops the working tables; what a killed build left of them is replaced by the next. -#}
{% macro drop_components(work) -%}
    {%- for name in ["nodes", "edges", "next_edges", "roots", "next_roots", "parents", "grandparents"] -%}
        drop table if exists {{ work }}{{ name }};
    {%- endfor -%}
{%- endmacro %}
