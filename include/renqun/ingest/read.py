"""Reading a recognised file into one relation of text cells, one row for each of its records.

The relation has the columns `c0 … cN` (the file's columns in the file's order, as text; null or empty where they
hold nothing), `source_row` (1-based), `fault` (why the record could not be split or decoded) and `record_text` (its
text, for such records). DuckDB reads well-formed CSV itself, strictly and with the dialect spelled out. Whatever it
refuses is split record by record (`renqun.ingest.records`), so that a broken record keeps its text and its place.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import duckdb

from renqun.errors import TechnicalError
from renqun.ingest.detect import Detection, FileRefused
from renqun.ingest.engine import Workbench, literal, quoted
from renqun.ingest.records import RECORD_LIMIT, Record, count_records, split_record

RAGGED_ROW = "ragged_row"
BROKEN_ENCODING = "broken_encoding"

_DIALECT = (
    "delim = ',', quote = '\"', escape = '\"', comment = '', nullstr = '\x01no cell\x01', header = false, "
    "auto_detect = false, strict_mode = true, null_padding = false, ignore_errors = false, parallel = false"
)
"""`nullstr`: where it is empty, DuckDB takes a row's surplus empty cells for no cells.
`parallel = false`: one thread reads as fast as two here, and row numbers and bytes are the same everywhere."""

_NOT_WELL_FORMED = (duckdb.InvalidInputException, duckdb.ConversionException)

_FIELD = rb'(?:"[^"]*+(?:""[^"]*+)*+"|[^",\r\n]*+)'
_WELL_QUOTED = re.compile(rb"(?:" + _FIELD + rb"[,\r\n])*+" + _FIELD + rb"\Z")
"""A file in which quotes only begin and end fields, or are doubled inside one. With other quotes, DuckDB drops blanks
beside them and even a last line, without a word."""

_KEPT_TEXT = 100_000
"""A broken record longer than this many bytes keeps its beginning."""


def read_file(bench: Workbench, path: Path, detection: Detection, where: str, use: Callable[[str], int]) -> None:
    """Hand a file's relation, as SQL, to `use`, which reads it whole and says how many rows it has got.

    `use` is called a second time, with the records split one by one, where the strict reader stops at a record
    that is not well-formed, or has not read as many as there are.

    Raises:
        FileRefused: a Parquet file is damaged.
        TechnicalError: rows were lost on the way.
    """
    if detection.header.format == "parquet":
        _use_parquet(bench, path, where, use)
        return
    if _is_plain(path, detection):
        # The strict reader refuses by raising: quotes that do not close, too many or few cells, bytes not UTF-8.
        with suppress(*_NOT_WELL_FORMED), path.open("rb") as stream:
            if use(_strict_relation(bench, path, detection)) == count_records(stream) - 1:
                return
    split = bench.folder / "split.csv"
    try:
        written = _split_to(path, detection, split)
        found = use(_split_relation(detection, split))
    finally:
        split.unlink(missing_ok=True)
    if found != written:
        raise TechnicalError(
            f"the file has {written} rows, but {found} were read",
            where=where,
            remedy="report this with the file; nothing was loaded from it",
        )


def _strict_relation(bench: Workbench, path: Path, detection: Detection) -> str:
    header = detection.header
    columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(header.names)))
    return (
        "SELECT *, row_number() OVER () AS source_row, NULL::VARCHAR AS fault, NULL::VARCHAR AS record_text "
        f"FROM read_csv({bench.readable(path)}, {_DIALECT.replace('header = false', 'header = true')}, "
        f"columns = {{{columns}}})"
    )


def _is_plain(path: Path, detection: Detection) -> bool:
    """Whether a file has nothing that DuckDB would read without complaint, but differently."""
    if not detection.header.is_first_line:
        return False
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(b'"') < 0 or bool(_WELL_QUOTED.match(data, detection.header.data_start))


def _split_to(path: Path, detection: Detection, target: Path) -> int:
    """Write every record of a CSV file as well-formed CSV, with its fault and, if it has one, its text.

    Returns:
        How many records it wrote.
    """
    count = 0
    key = _key_place(detection)
    row, rows = _sound_rows(len(detection.header.names))
    with (
        path.open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data,
        target.open("wb") as out,
    ):
        position = careful_until = detection.header.data_start
        while position < len(data):
            run = rows.match(data, position) if position >= careful_until else None
            if run and _is_sound(run.group(), row):
                written, found = row.subn(rb"\1,,\n", run.group())
                out.write(written)
                count += found
                position = run.end()
                continue
            careful_until = run.end() if run else careful_until
            record = split_record(data, position)
            position = record.end
            if record.text:
                out.write(_written(record, len(detection.header.names), key))
                count += 1
    return count


def _sound_rows(width: int) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """One row of so many well-quoted fields, and a run of them: most records of a file with a few broken ones."""
    body = rb"(?:" + _FIELD + rb",){%d}" % (width - 1) + _FIELD
    # A line of one field may have nothing on it, and is no row then.
    body = body if width > 1 else rb"(?![\r\n])" + body
    end = rb"(?:\r\n|\n|\r)"
    return re.compile(rb"(" + body + rb")" + end), re.compile(rb"(?:" + body + end + rb"){1,5000}+")


def _is_sound(run: bytes, row: re.Pattern[bytes]) -> bool:
    if len(run) > RECORD_LIMIT and any(len(found.group()) > RECORD_LIMIT for found in row.finditer(run)):
        return False
    try:
        run.decode()
    except UnicodeDecodeError:
        return False
    return True


def _written(record: Record, width: int, key: int | None) -> bytes:
    """A record as a line of CSV, followed by its fault and its text."""
    fault = _fault(record, width)
    if fault is None and record.cells is not None:
        return b",".join(_quote(cell) for cell in record.cells) + b",,\n"
    # What cannot be split cannot be trusted, but for the key: its other rows must not be taken for the whole of it.
    cells = [b""] * width
    if key is not None and record.cells is not None and key < len(record.cells):
        cells[key] = record.cells[key].decode(errors="ignore").replace("\x00", "").encode()
    text = record.text[:_KEPT_TEXT].decode(errors="backslashreplace").encode()
    return b",".join(_quote(cell) for cell in (*cells, (fault or "").encode(), text)) + b"\n"


def _split_relation(detection: Detection, split: Path) -> str:
    names = [*(f"c{place}" for place in range(len(detection.header.names))), "fault", "record_text"]
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    return (
        "SELECT * REPLACE (nullif(fault, '') AS fault, CASE WHEN fault <> '' THEN record_text END AS record_text), "
        f"row_number() OVER () AS source_row FROM read_csv({literal(str(split))}, {_DIALECT}, "
        f"new_line = '\\n', columns = {{{columns}}})"
    )


def _fault(record: Record, width: int) -> str | None:
    if record.cells is None or len(record.cells) != width:
        return RAGGED_ROW
    try:
        record.text.decode()
    except UnicodeDecodeError:
        return BROKEN_ENCODING
    return None


def _key_place(detection: Detection) -> int | None:
    rule = detection.source.rules.whole_by
    if rule is None:
        return None
    return detection.header.names.index(detection.source.column(rule.column).header_name)


def _quote(cell: bytes) -> bytes:
    return b'"' + cell.replace(b'"', b'""') + b'"'


def _use_parquet(bench: Workbench, path: Path, where: str, use: Callable[[str], int]) -> None:
    table = f"read_parquet({bench.readable(path)}, binary_as_string = true)"
    described = bench.connection.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()
    cells = ", ".join(
        f"{_as_text(quoted(name), str(kind))} AS c{place}" for place, (name, kind, *_) in enumerate(described)
    )
    sql = (
        f"SELECT {cells}, row_number() OVER () AS source_row, NULL::VARCHAR AS fault, "
        f"NULL::VARCHAR AS record_text FROM {table}"
    )
    try:
        use(sql)
    except (*_NOT_WELL_FORMED, duckdb.IOException) as error:
        if not _reads(bench, sql):
            raise FileRefused(
                "the Parquet file is damaged", where=where, remedy="export or copy the file again"
            ) from error
        raise


def _reads(bench: Workbench, sql: str) -> bool:
    """Whether a relation can be read: if it can, what failed was the writing."""
    try:
        bench.connection.execute(f"SELECT count(COLUMNS(*)) FROM ({sql})").fetchone()
    except duckdb.Error:
        return False
    return True


def _as_text(column: str, kind: str) -> str:
    """A typed Parquet value as an export would write it: plain digits, ISO times, `true` and `false`.

    A whole number held as floating point is written without a fraction as long as it is exact; beyond that it
    has lost digits, and is written so that it is seen.
    """
    if kind not in {"DOUBLE", "FLOAT"}:
        return f"CAST({column} AS VARCHAR)"
    return (
        f"CASE WHEN NOT isfinite({column}) THEN CAST({column} AS VARCHAR) "
        f"WHEN abs({column}) >= 9007199254740992 THEN printf('%E', {column}::DOUBLE) "
        f"WHEN {column} = trunc({column}) THEN CAST(CAST({column} AS BIGINT) AS VARCHAR) "
        f"WHEN abs({column}) < 0.0001 THEN rtrim(CAST(CAST({column} AS DECIMAL(38, 18)) AS VARCHAR), '0') "
        f"ELSE CAST({column} AS VARCHAR) END"
    )
