"""What the raw gate looks at: the rows of all incoming files of a source at once, and one row for each file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from renqun.quality.relations import identifier, literal

if TYPE_CHECKING:
    from renqun.ingest.ledger import BatchRecord

_BATCHES = """
create or replace table raw.batches as
with

volumes as (
    select source, ds, sum(rows_read) as day_rows from raw.ledger group by source, ds
),

volumes_before as (
    select
        source, ds, day_rows,
        median(day_rows) over before as rows_before,
        count(*) over before as days_before
    from volumes
    window before as (
        partition by source order by ds range between interval 28 days preceding and interval 1 day preceding
    )
)

select
    ledger.batch_id, ledger.source, ledger.ds, ledger.file_name, ledger.rows_read, ledger.rows_quarantined,
    coalesce(files.rows_in_file, 0) as rows_in_file,
    coalesce(files.rows_quarantined_in_file, 0) as rows_quarantined_in_file,
    coalesce(files.rows_misnamed, 0) as rows_misnamed,
    volumes_before.day_rows, volumes_before.rows_before, volumes_before.days_before
from raw.ledger as ledger
left join raw.files as files on ledger.batch_id = files.batch_id
left join volumes_before on ledger.source = volumes_before.source and ledger.ds = volumes_before.ds
where ledger.is_incoming
order by ledger.ds, ledger.source, ledger.batch_id
"""
"""The last four weeks are what a day's volume is compared with."""

_FILE = """
select
    parse_filename(_raw_file, true) as batch_id,
    count(*) as rows_in_file,
    count(_quarantine_reason) as rows_quarantined_in_file,
    count(*) - count(distinct _source_row)
        + count(*) filter (where _source_row < 1 or _batch_id is distinct from parse_filename(_raw_file, true))
        as rows_misnamed
from raw_all.{source}
group by all
"""


def make_raw(
    connection: duckdb.DuckDBPyConnection,
    incoming: Sequence[tuple[BatchRecord, Path]],
    accepted: Sequence[BatchRecord],
) -> list[str]:
    """Make `raw.batches` and, for every source that has incoming files, `raw.<source>` with its sound rows.

    Args:
        connection: the gate's connection.
        incoming: the batches to look at, each with its Parquet.
        accepted: batches of earlier runs, for the comparison of volumes.

    Returns:
        The sources that have incoming files.
    """
    connection.execute("create schema if not exists raw")
    connection.execute("create schema if not exists raw_all")
    sources = sorted({record.source for record, _ in incoming})
    for source in sources:
        files = ", ".join(literal(path) for record, path in incoming if record.source == source)
        name = identifier(source)
        connection.execute(
            f"create or replace view raw_all.{name} as select * from read_parquet([{files}], union_by_name = true,"
            " filename = '_raw_file', hive_partitioning = false)"
        )
        connection.execute(
            f"create or replace view raw.{name} as"
            f" select * exclude (_raw_file) from raw_all.{name} where _quarantine_reason is null"
        )
    _make_ledger(connection, [record for record, _ in incoming], accepted)
    union = " union all ".join(_FILE.format(source=identifier(source)) for source in sources)
    connection.execute(f"create or replace table raw.files as {union}")
    connection.execute(_BATCHES)
    return sources


def _make_ledger(
    connection: duckdb.DuckDBPyConnection, incoming: Sequence[BatchRecord], accepted: Sequence[BatchRecord]
) -> None:
    connection.execute(
        "create or replace table raw.ledger (batch_id varchar, source varchar, ds date, file_name varchar,"
        " rows_read bigint, rows_quarantined bigint, is_incoming boolean)"
    )
    rows = [
        [one.batch_id, one.source, one.ds, one.file_name, one.rows_read, one.rows_quarantined, is_incoming]
        for records, is_incoming in ((incoming, True), (accepted, False))
        for one in records
    ]
    connection.executemany("insert into raw.ledger values (?, ?, ?, ?, ?, ?, ?)", rows)
