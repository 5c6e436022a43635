{#-
    Grain: one row. What this build covers: everything, or what changed since the build before.
-#}
select
    {{ "true" if is_full_build() else "false" }} as is_full,
    {{ as_of_date() }} as as_of_date,
    {{ previous_as_of_date() }} as previous_as_of_date
