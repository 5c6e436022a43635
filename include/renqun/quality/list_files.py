"""What the published gate looks at of a trigger list: as it was chosen, as it reads back, and what was sent before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from renqun.quality.audience_files import LIST_STEM, relation_of
from renqun.quality.relations import literal

_COLUMNS = "dedupe_key, customer_key, due_at, is_late"
_NO_ROWS = (
    "(select null::varchar as dedupe_key, null::varchar as customer_key, null::timestamp as due_at,"
    " null::boolean as is_late where false)"
)
_TABLE = f"""
create or replace table published.triggers_file as
with

written as (
    select {_COLUMNS}, count(*) over (partition by dedupe_key) as times from {{parquet}}
),

told as (
    select dedupe_key, min(customer_key) as customer_key, min(due_at) as due_at, count(*) as times
    from {{csv}} group by dedupe_key
),

chosen as (
    select {_COLUMNS} from {{chosen}}
),

messages as (
    select
        coalesce(written.dedupe_key, told.dedupe_key, chosen.dedupe_key) as dedupe_key,
        coalesce(written.customer_key, told.customer_key, chosen.customer_key) as customer_key,
        coalesce(written.times, 0) as times_written,
        coalesce(told.times, 0) as times_told,
        chosen.dedupe_key is not null as is_chosen,
        written.customer_key is not distinct from chosen.customer_key
            and written.due_at is not distinct from chosen.due_at as is_as_chosen,
        told.customer_key is not distinct from written.customer_key
            and told.due_at is not distinct from strftime(written.due_at, '%Y-%m-%dT%H:%M:%SZ') as is_told_alike
    from written
    full join told on written.dedupe_key = told.dedupe_key
    full join chosen on coalesce(written.dedupe_key, told.dedupe_key) = chosen.dedupe_key
)

select
    *,
    count(*) over (partition by customer_key) as messages_of_customer,
    customer_key in (select expected.customer_key from published.expected) as is_member,
    dedupe_key in (select old.dedupe_key from {{sent}} as old) as is_sent_before
from messages
"""


def make_list(connection: duckdb.DuckDBPyConnection, folder: Path, chosen: Path | None, sent: Sequence[Path]) -> None:
    """Make `published.triggers_file`, behind `make_published`: one row a message that is chosen or in a file.

    Args:
        connection: the gate's.
        folder: the staging folder.
        chosen: the list as it was chosen; None where the audience has none.
        sent: the lists that were published of the audience before.
    """
    connection.execute(
        _TABLE.format(
            parquet=relation_of(folder / f"{LIST_STEM}.parquet") or _NO_ROWS,
            csv=relation_of(folder / f"{LIST_STEM}.csv") or _NO_ROWS,
            chosen=f"read_parquet({literal(chosen)})" if chosen else _NO_ROWS,
            sent=f"read_parquet([{', '.join(literal(file) for file in sent)}])" if sent else _NO_ROWS,
        )
    )
