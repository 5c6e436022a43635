"""Reading a recognised file into one relation of text cells, one row for each of its records.

The relation has the columns `c0 … cN` (the file's columns in the file's order, as text; null or empty where they
hold nothing), `source_row` (1-based), `fault` (why the record could not be split or decoded) and `record_text` (its
text, for such records). Workbooks and texts that are not in UTF-8 are written as plain text first
(`renqun.ingest.plain`), so that all go the same way from there: DuckDB reads well-formed CSV itself, strictly and with
the dialect spelled out. Whatever it refuses is split record by record (`renqun.ingest.records`), so that a broken
record keeps its text and its place. Large files that are regular throughout are read in portions, several at once
(`renqun.ingest.portions`).
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
from renqun.ingest.engine import Workbench
from renqun.ingest.facts import Facts
from renqun.ingest.plain import Plain, as_plain, forget, write_json_rows
from renqun.ingest.portions import Portions, in_portions
from renqun.ingest.quotes import quoting_of
from renqun.ingest.records import RECORD_LIMIT, Record, split_record
from renqun.ingest.sums import asked_columns
from renqun.sql_text import identifier, literal

RAGGED_ROW = "ragged_row"
ROW_TOO_LONG = "row_too_long"
BROKEN_ENCODING = "broken_encoding"

_DIALECT = (
    "quote = '\"', escape = '\"', comment = '', nullstr = '\x01no cell\x01', "
    "auto_detect = false, strict_mode = true, null_padding = false, ignore_errors = false, parallel = false"
)
"""`nullstr`: where it is empty, DuckDB takes a row's surplus empty cells for no cells.
`parallel = false`: one thread reads as fast as two here, and row numbers and bytes are the same everywhere."""

_NOT_WELL_FORMED = (duckdb.InvalidInputException, duckdb.ConversionException)

_PORTIONS = "portions_of_the_file"

_KEPT_TEXT = 100_000
"""A broken record longer than this many bytes keeps its beginning."""
_FORGET_EVERY = 64 * 1024 * 1024


Use = Callable[[str, int | None, Facts], int]


def read_file(bench: Workbench, path: Path, detection: Detection, where: str, use: Use) -> None:
    """Hand a file's relation, as SQL, to `use`, which reads it whole and says how many rows it has got.

    It is told how many there should be, where that is known, and what is known of whole columns.

    `use` is called a second time, with the records split one by one, where the strict reader stops at a record
    that is not well-formed, or has not read as many as there are.

    Raises:
        FileRefused: a Parquet file is damaged.
        TechnicalError: rows were lost on the way.
    """
    match detection.header.format:
        case "parquet":
            parquet = detection.parts[0].body.path if detection.parts else path
            _use_parquet(bench, parquet, where, use)
        case "jsonl":
            _use_split(bench, detection, where, use, lambda split: write_json_rows(detection, split), ",")
        case _:
            if _use_portions(bench, detection, use):
                return
            plain = as_plain(bench, path, detection)
            try:
                _use_text(bench, plain, detection, where, use)
            finally:
                (bench.folder / "plain.csv").unlink(missing_ok=True)


def _use_portions(bench: Workbench, detection: Detection, use: Use) -> bool:
    """Whether a large text could be read portion by portion. Where a reader stops or loses a row, it could not."""
    names = len(detection.header.names)
    width = names + detection.header.surplus
    portions = in_portions(bench, detection, width)
    if portions is None:
        return False
    if portions.are_tables:
        # Importing it, and numpy with it, costs a fifth of a second: most files are small.
        from renqun.ingest.arrow import Tables

        bench.connection.register(_PORTIONS, Tables(portions.paths, portions.offsets, width))
        rows = _PORTIONS
    else:
        rows = _numbered_texts(portions, detection, width)
    sql = f"SELECT *, {_surplus_fault(names, width)} AS fault, NULL::VARCHAR AS record_text FROM {rows}"
    try:
        with suppress(*_NOT_WELL_FORMED):
            return use(sql, sum(portions.rows), portions.facts) == sum(portions.rows)
        return False
    finally:
        bench.connection.unregister(_PORTIONS)
        portions.forget()


def _numbered_texts(portions: Portions, detection: Detection, width: int) -> str:
    texts = ", ".join(literal(str(path)) for path in portions.paths)
    before = f"list_extract([{', '.join(map(str, portions.offsets))}], CAST(file_index + 1 AS BIGINT))"
    return (
        f"(SELECT * EXCLUDE (number, file_index), {before} + number AS source_row FROM (SELECT *, file_index "
        f"FROM read_csv([{texts}], delim = {_sign(detection.header.delimiter)}, {_DIALECT}, "
        f"header = false, columns = {{'number': 'BIGINT', {_columns(width)}}})))"
    )


def _use_text(bench: Workbench, plain: Plain, detection: Detection, where: str, use: Use) -> None:
    if plain.path.stat().st_size == 0:
        use(_no_rows(detection), 0, {})
        return
    if plain.starts_with_header or plain.data_start == 0:
        quoting = quoting_of(plain.path, plain.data_start, plain.delimiter)
        if quoting.is_sound:
            # The strict reader refuses by raising: quotes that do not close, too many or few cells, no UTF-8.
            with suppress(*_NOT_WELL_FORMED):
                if use(_strict_relation(bench, plain), quoting.records, {}) == quoting.records:
                    return
    _use_split(bench, detection, where, use, lambda split: _split_to(plain, detection, split), plain.delimiter)


def _use_split(
    bench: Workbench,
    detection: Detection,
    where: str,
    use: Use,
    write: Callable[[Path], int],
    delimiter: str,
) -> None:
    split = bench.folder / "split.csv"
    try:
        written = write(split)
        found = use(_split_relation(detection, split, delimiter), written, {})
    finally:
        split.unlink(missing_ok=True)
    if found != written:
        raise TechnicalError(
            f"the file has {written} rows, but {found} were read",
            where=where,
            remedy="report this with the file; nothing was loaded from it",
        )


def _strict_relation(bench: Workbench, plain: Plain) -> str:
    fault = _surplus_fault(plain.names, plain.width)
    return (
        f"SELECT *, row_number() OVER () AS source_row, {fault} AS fault, NULL::VARCHAR AS record_text "
        f"FROM read_csv({bench.readable(plain.path)}, delim = {_sign(plain.delimiter)}, {_DIALECT}, "
        f"header = {str(plain.starts_with_header).lower()}, columns = {{{_columns(plain.width)}}})"
    )


def _columns(width: int) -> str:
    return ", ".join(f"'c{place}': 'VARCHAR'" for place in range(width))


def _surplus_fault(names: int, width: int) -> str:
    """The fault of a row that has anything in cells beyond the header's."""
    surplus = " AND ".join(f"coalesce(c{place}, '') = ''" for place in range(names, width))
    return f"CASE WHEN NOT ({surplus}) THEN '{RAGGED_ROW}' END" if surplus else "NULL::VARCHAR"


def _no_rows(detection: Detection) -> str:
    cells = ", ".join(f"NULL::VARCHAR AS c{place}" for place in range(len(detection.header.names)))
    return f"SELECT {cells}, NULL::BIGINT AS source_row, NULL::VARCHAR AS fault, NULL::VARCHAR AS record_text LIMIT 0"


def _sign(delimiter: str) -> str:
    return "E'\\t'" if delimiter == "\t" else literal(delimiter)


def _split_to(plain: Plain, detection: Detection, target: Path) -> int:
    """Write every record of a text as well-formed CSV, with its fault and, if it has one, its text.

    Returns:
        How many records it wrote.
    """
    count = 0
    kept = _kept_places(detection)
    mark = plain.delimiter.encode()
    row, rows = _sound_rows(plain.names, mark)
    with (
        plain.path.open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data,
        target.open("wb") as out,
    ):
        position = careful_until = forgotten = plain.data_start
        while position < len(data):
            if position - forgotten > _FORGET_EVERY:
                forget(data, position)
                forgotten = position
            run = rows.match(data, position) if position >= careful_until else None
            if run and _is_sound(run.group(), row):
                written, found = row.subn(rb"\1" + mark + mark + b"\n", run.group())
                out.write(written)
                count += found
                position = run.end()
                continue
            careful_until = run.end() if run else careful_until
            record = split_record(data, position, mark)
            position = record.end
            if record.text:
                out.write(_written(record, plain, kept))
                count += 1
    return count


def _sound_rows(width: int, mark: bytes) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """One row of so many well-quoted fields, and a run of them: most records of a file with a few broken ones."""
    sign = re.escape(mark)
    field = rb'(?:"[^"]*+(?:""[^"]*+)*+"|[^"' + sign + rb"\r\n]*+)"
    body = rb"(?:" + field + sign + rb"){%d}" % (width - 1) + field
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


def _written(record: Record, plain: Plain, kept: frozenset[int]) -> bytes:
    """A record as a line of CSV, followed by its fault and its text."""
    mark = plain.delimiter.encode()
    fault = _fault(record, plain)
    if fault is None and record.cells is not None:
        return mark.join(_quote(cell) for cell in record.cells[: plain.names]) + mark + mark + b"\n"
    # What cannot be split cannot be trusted, but for the key: its other rows must not be taken for the whole of it.
    # And for what says that it is no row at all.
    cells = [b""] * plain.names
    for place in kept:
        if record.cells is not None and place < len(record.cells):
            cells[place] = record.cells[place].decode(errors="ignore").replace("\x00", "").encode()
    text = record.text[:_KEPT_TEXT].decode(errors="backslashreplace").encode()
    return mark.join(_quote(cell) for cell in (*cells, (fault or "").encode(), text)) + b"\n"


def _split_relation(detection: Detection, split: Path, delimiter: str) -> str:
    names = [*(f"c{place}" for place in range(len(detection.header.names))), "fault", "record_text"]
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    return (
        "SELECT * REPLACE (nullif(fault, '') AS fault, CASE WHEN fault <> '' THEN record_text END AS record_text), "
        f"row_number() OVER () AS source_row FROM read_csv({literal(str(split))}, delim = {_sign(delimiter)}, "
        f"{_DIALECT}, header = false, new_line = '\\n', columns = {{{columns}}})"
    )


def _fault(record: Record, plain: Plain) -> str | None:
    cells = record.cells
    if cells is None and len(record.text) > RECORD_LIMIT:
        return ROW_TOO_LONG
    if cells is None or len(cells) < plain.names:
        return RAGGED_ROW
    if len(cells) > plain.names and not (plain.is_tolerant and not any(cell.strip() for cell in cells[plain.names :])):
        return RAGGED_ROW
    try:
        record.text.decode()
    except UnicodeDecodeError:
        return BROKEN_ENCODING
    return None


def _kept_places(detection: Detection) -> frozenset[int]:
    source = detection.source
    kept = {detection.places[source.rules.whole_by.column]} if source.rules.whole_by else set()
    if not source.is_generic:
        kept |= {0, *(detection.places[name] for name in asked_columns(source) if name in detection.places)}
    return frozenset(kept)


def _quote(cell: bytes) -> bytes:
    return b'"' + cell.replace(b'"', b'""') + b'"'


def _use_parquet(bench: Workbench, path: Path, where: str, use: Use) -> None:
    table = f"read_parquet({bench.readable(path)}, binary_as_string = true)"
    described = bench.connection.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()
    cells = ", ".join(
        f"{_as_text(identifier(name), str(kind))} AS c{place}" for place, (name, kind, *_) in enumerate(described)
    )
    sql = (
        f"SELECT {cells}, row_number() OVER () AS source_row, NULL::VARCHAR AS fault, "
        f"NULL::VARCHAR AS record_text FROM {table}"
    )
    try:
        use(sql, None, {})
    except (*_NOT_WELL_FORMED, duckdb.IOException) as error:
        if not _reads(bench, sql):
            raise FileRefused(
                "the Parquet file is damaged", where=where, remedy="export or copy the file again"
            ) from error
        raise


def _reads(bench: Workbench, sql: str) -> bool:
    """Whether a relation can be read: if it can, what failed was the writing."""
    try:
        bench.connection.execute(f"SELECT count(COLUMNS(*)) FROM ({sql})").fetchall()
    except duckdb.Error:
        return False
    return True


def _as_text(column: str, kind: str) -> str:
    """A typed Parquet value as an export would write it: plain digits, ISO times, `true` and `false`, nested as JSON.

    A whole number held as floating point is written without a fraction as long as it is exact; beyond that it
    has lost digits, and is written so that it is seen.
    """
    if kind.startswith(("STRUCT", "MAP", "UNION")) or kind.endswith("]"):
        return f"CAST(to_json({column}) AS VARCHAR)"
    if kind not in {"DOUBLE", "FLOAT"}:
        return f"CAST({column} AS VARCHAR)"
    return (
        f"CASE WHEN NOT isfinite({column}) THEN CAST({column} AS VARCHAR) "
        f"WHEN abs({column}) >= 9007199254740992 THEN printf('%E', {column}::DOUBLE) "
        f"WHEN {column} = trunc({column}) THEN CAST(CAST({column} AS BIGINT) AS VARCHAR) "
        f"WHEN abs({column}) < 0.0001 THEN rtrim(CAST(CAST({column} AS DECIMAL(38, 18)) AS VARCHAR), '0') "
        f"ELSE CAST({column} AS VARCHAR) END"
    )
