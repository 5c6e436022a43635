"""Incoming batches as SQL relations, for the raw gate."""

from __future__ import annotations

from collections.abc import Sequence

from renqun.ingest.catalogue import METADATA_COLUMNS, get_source
from renqun.ingest.checks import empty_relation
from renqun.ingest.ledger import BatchRecord, incoming_parquet
from renqun.settings import ShopPaths
from renqun.sql_text import identifier, literal

_PROFILE_COLUMNS = (
    "batch_id VARCHAR, source VARCHAR, group_name VARCHAR, ds DATE, file_name VARCHAR, format VARCHAR, "
    "rows_read BIGINT, rows_quarantined BIGINT, rows_sound BIGINT, quarantined_rate DOUBLE, "
    "unknown_column_count BIGINT"
)


def incoming_relation(paths: ShopPaths, source_name: str, records: Sequence[BatchRecord]) -> str:
    """The SQL of all rows of a source's incoming batches: canonical columns, then `METADATA_COLUMNS`.

    Columns that a file has beyond these differ from file to file and are left out.
    """
    source = get_source(source_name)
    names = [*(identifier(name) for name in source.names), *METADATA_COLUMNS]
    files = [literal(str(incoming_parquet(paths, record))) for record in records if record.source == source_name]
    if not files:
        return empty_relation(source)
    return f"SELECT {', '.join(names)} FROM read_parquet([{', '.join(files)}], union_by_name = true)"


def profile_relation(records: Sequence[BatchRecord]) -> str:
    """The SQL of one row a batch, as the ledger has it: what was read, what was quarantined.

    `rows_read` and `rows_quarantined` were counted when the file was read; a gate compares them with the rows of
    `incoming_relation`.
    """
    columns = [column.split(" ") for column in _PROFILE_COLUMNS.split(", ")]
    selected = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in columns)
    names = ", ".join(name for name, _ in columns)
    rows = [_profile(record) for record in records]
    if not rows:
        rows = [f"({', '.join('NULL' for _ in columns)})"]
    return f"SELECT {selected} FROM (VALUES {', '.join(rows)}) AS profile({names}) WHERE batch_id IS NOT NULL"


def _profile(record: BatchRecord) -> str:
    rate = record.rows_quarantined / record.rows_read if record.rows_read else 0.0
    texts = (record.batch_id, record.source, record.group, str(record.ds), record.file_name, record.format)
    numbers = (
        record.rows_read, record.rows_quarantined, record.rows_sound, rate, len(record.unknown_columns),
    )  # fmt: skip
    return f"({', '.join([*(literal(text) for text in texts), *(str(number) for number in numbers)])})"
