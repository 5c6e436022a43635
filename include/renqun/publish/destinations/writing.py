"""A destination's files: who can be reached there, written as it wants it, in full and as deltas."""

from __future__ import annotations

import tempfile
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from renqun.errors import TechnicalError
from renqun.publish import files
from renqun.publish.destinations.destination import Destination
from renqun.sql_text import identifier, literal

Relation = duckdb.DuckDBPyRelation

_NO_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip file can hold: the same rows give the same bytes."""
_PRIVATE_FILE = 0o600 << 16
_IDS_PER_LINE = 10_000
_ITEM_OF_64 = "concat(chr(10), 'D', chr(16), chr(6), chr(26), '@', {id})"
"""One identifier of 64 characters in a protocol buffer: field 1 (68 bytes) with field 2 = 6 (MOBILE_HASH_SHA256) and
field 3 = the identifier. All bytes are ASCII, so text is as good as bytes."""


@dataclass(frozen=True)
class Written:
    """What was written for a destination."""

    rows: int
    files: tuple[Path, ...]
    refused: str | None = None
    """Why nothing was written: the destination would not take so few, or so many."""


def addressees(people: Relation, to: Destination) -> Relation:
    """The rows of a destination's file: identifiers only, each row once, in order.

    Args:
        people: `customer_key, phone, email, open_uid, entered_on`.
        to: the destination.
    """
    named = [f"{sql} as {identifier(_place(number))}" for number, (_, sql) in enumerate(to.columns)]
    reached = " or ".join(f"{identifier(_place(number))} is not null" for number in to.identifiers)
    order = ", ".join(f"{identifier(_place(number))} nulls first" for number in range(len(to.columns)))
    return people.project(", ".join(named)).filter(reached).distinct().order(order)


def reachable(to: Destination) -> str:
    """SQL over the columns of `addressees`' people: whether somebody has an identifier that the destination takes."""
    return " or ".join(f"({to.columns[number][1]}) is not null" for number in to.identifiers)


def write_full(rows: Relation, to: Destination, folder: Path) -> Written:
    """Write everybody whom the destination can reach, within its limits.

    Args:
        rows: what `addressees` gave.
        to: the destination.
        folder: where its files go.
    """
    count = files.rows_of(rows)
    if refused := refusal(count, to):
        return Written(count, (), refused)
    return Written(count, tuple(_write(rows, to, folder, to.id, count)))


def refusal(count: int, to: Destination) -> str | None:
    """Why a destination would not take a list of so many rows; None where it would."""
    if count < to.minimum:
        return f"{count:,} people can be reached there; it takes {to.minimum:,} or more"
    if to.maximum is not None and count > to.maximum:
        return f"{count:,} people can be reached there; it takes at most {to.maximum:,}"
    return None


def write_delta(rows: Relation, to: Destination, folder: Path, name: str) -> Written:
    """Write who is added (`append`) or removed (`reduce`); no lower limit holds for changes."""
    count = files.rows_of(rows)
    return Written(count, tuple(_write(rows, to, folder, f"{to.id}_{name}", count)))


def read_rows(connection: duckdb.DuckDBPyConnection, to: Destination, paths: list[Path]) -> Relation:
    """The rows of a destination's files, as they were given to `write_full`, read back from the disk.

    Nothing is written beside the files: they may stand where nobody may write.
    """
    if to.kind == "zipped_lines":
        with tempfile.TemporaryDirectory() as folder:
            plain = [_unzipped(path, Path(folder) / f"{number}.txt") for number, path in enumerate(paths)]
            name = f"unzipped_{uuid.uuid4().hex}"
            _read_plain(connection, to, plain).create_view(f"{name}_files")
            connection.execute(f"create temp table {name} as from {name}_files; drop view {name}_files")
        return connection.table(name)
    return _read_plain(connection, to, paths)


def _read_plain(connection: duckdb.DuckDBPyConnection, to: Destination, sources: list[Path]) -> Relation:
    columns = {_place(number): "VARCHAR" for number in range(len(to.columns))}
    if to.kind == "oceanengine":
        ids = connection.sql(
            "select unnest(regexp_extract_all(decode(from_base64(line)), '[0-9a-f]{64}')) as c0"
            " from read_csv(?, columns = {'line': 'VARCHAR'}, header = false, delim = '\t', quote = '', escape = '',"
            " auto_detect = false, hive_partitioning = false, max_line_size = 4000000)",
            params=[[str(path) for path in sources]],
        )
        return ids.order("c0")
    return connection.sql(
        "select * from read_csv(?, columns = ?, header = ?, delim = ',', quote = '\"', escape = '\"',"
        " auto_detect = false, hive_partitioning = false, nullstr = '', strict_mode = true)",
        params=[[str(path) for path in sources], columns, to.kind == "csv"],
    )


def _write(rows: Relation, to: Destination, folder: Path, name: str, count: int) -> list[Path]:
    """Write rows into as few files of equal length as the destination's limits allow; in order, one after the other."""
    size = min(to.rows_per_file or max(count, 1), max(count, 1))
    while True:
        written = list(_write_parts(rows, to, folder, name, count, size))
        largest = max(file.stat().st_size for file in written)
        if to.bytes_per_file is None or largest <= to.bytes_per_file:
            return written
        for file in written:
            file.unlink()
        if size == 1:
            raise TechnicalError(
                f"one row of {to.id} takes {largest} bytes, more than the destination takes of a file",
                where=str(folder),
                remedy="correct the limit of the destination; nothing was published",
            )
        # What does not fit, does not fit by its share: a little less, because rows differ in length.
        size = max(min(size * to.bytes_per_file * 19 // (largest * 20), size - 1), 1)


def _write_parts(rows: Relation, to: Destination, folder: Path, name: str, count: int, size: int) -> Iterator[Path]:
    parts = range(0, max(count, 1), size)
    for number, start in enumerate(parts, start=1):
        part = rows.limit(size, start) if len(parts) > 1 else rows
        yield write_one(part, to, folder / (f"{name}_{number:03}" if len(parts) > 1 else name))


def write_one(rows: Relation, to: Destination, path: Path) -> Path:
    """Write one file; `path` has no ending yet."""
    target = path.with_name(f"{path.name}.{to.extension}")
    if to.kind == "csv":
        # A header may name a column twice, which no relation can: it is a row like the others.
        names = [_place(number) for number in range(len(to.columns))]
        titles = [literal(header) for header, _ in to.columns]
        header = ", ".join(f"{title} as {name}" for title, name in zip(titles, names, strict=True))
        texts = ", ".join(f"cast({name} as varchar) as {name}" for name in names)
        listed = _query(rows, f"select {header} union all select * from (select {texts} from listed)")
        listed.write_csv(str(target), header=False, sep=",", quotechar='"', escapechar='"', encoding="UTF8")
        return target
    if to.kind == "oceanengine":
        items = _ITEM_OF_64.format(id="c0")
        lines = _query(
            rows,
            f"select to_base64(encode(string_agg({items}, '' order by c0))) as line"
            f" from (select c0, (row_number() over (order by c0) - 1) // {_IDS_PER_LINE} as line_number from listed)"
            " group by line_number order by line_number",
        )
        lines.write_csv(str(target), header=False, quotechar="", escapechar="", encoding="UTF8")
        return target
    if to.kind == "lines":
        rows.write_csv(str(target), header=False, encoding="UTF8")
        return target
    plain = path.with_name(f"{path.name}.txt")
    rows.write_csv(str(plain), header=False, encoding="UTF8")
    entry = zipfile.ZipInfo(plain.name, _NO_TIME)
    entry.external_attr = _PRIVATE_FILE
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(target, "w") as archive, plain.open("rb") as source, archive.open(entry, "w") as sink:
        while chunk := source.read(1 << 20):
            sink.write(chunk)
    plain.unlink()
    return target


def _unzipped(path: Path, target: Path) -> Path:
    with zipfile.ZipFile(path) as archive:
        (entry,) = archive.infolist()
        with archive.open(entry) as source, target.open("wb") as sink:
            while chunk := source.read(1 << 20):
                sink.write(chunk)
    return target


def _query(listed: Relation, query: str) -> Relation:
    """A query over a relation that it calls `listed`."""
    asked = listed.query("listed", query)
    if asked is None:
        raise TypeError("only queries that give rows are asked here")
    return asked


def _place(number: int) -> str:
    return f"c{number}"
