"""Row checks as SQL: every cell is proven here, so that what staging casts later cannot fail.

The SQL is made from a source's description. A row gets its reasons (`<id>:<column>`, several joined by `,`) or,
if it is sound, none. Reasons: `missing_required`, `unparsable_value`, `negative_quantity`, `negative_price`,
`time_before_2000`, `time_after_export`, `digits_lost`, `ambiguous_number`, `foreign_currency`, a source's own
(`paid_before_ordered`, `unknown_event_type`), and `ragged_row`, `row_too_long`, `broken_json` or `broken_encoding` for
a record that could not be read at all. `renqun.ingest.reasons` says each in words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from renqun.ingest.catalogue import METADATA_COLUMNS, NUMBER_KINDS, TIME_KINDS, Column, Kind, Source, WholeBy
from renqun.ingest.clean import cleaning, last_of_range, steps_applied
from renqun.ingest.detect import Detection
from renqun.ingest.facts import Fact, Facts
from renqun.ingest.ids import id_findings
from renqun.ingest.numbers import NumberSigns, doubtful, signs_of
from renqun.ingest.sums import asked_columns, left_out_reason
from renqun.settings import Shop
from renqun.sql_text import identifier, literal

_DAY = r"\d{4}-\d{2}-\d{2}"
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?"
_OFFSET = r"(Z|[+-](0\d|1[0-5])(:?[0-5]\d)?)"
_NAIVE_TIME = f"{_DAY}([T ]{_CLOCK})?"
_ZONED_TIME = f"{_DAY}[T ]{_CLOCK}{_OFFSET}"
_NUMBER = r"[+-]?\d+(\.\d+)?"
_NUMBER_TYPE = "DECIMAL(18, 6)"
"""Twelve digits before the point are more than any shop's money or stock: what is larger is a damaged cell."""
_BLANKS = " \\t\\r\\n"

_PLAIN_FORMS: dict[Kind, frozenset[Fact]] = {
    "id": frozenset({"whole_id"}),
    "timestamp": frozenset({"time", "t_time"}),
    **dict.fromkeys(("date", "date_range"), frozenset({"day"})),
    **dict.fromkeys(NUMBER_KINDS, frozenset({"number"})),
}
"""The facts which say that the cells of a column, as they are, pass the checks of its kind but for their limits."""

_UNIT, _RECORD = "chr(31)", "chr(30)"


@dataclass(frozen=True)
class Place:
    """Where a batch comes from, as its rows say it."""

    shop: Shop
    file_name: str
    batch_id: str
    exported_at: datetime | None
    """The end of the folder's date; unknown for a file that lies in no date folder."""


def judged_relation(read_sql: str, detection: Detection, place: Place, facts: Facts | None = None) -> str:
    """The SQL of a file's rows in raw's layout, each with its reasons.

    Args:
        read_sql: the relation of `renqun.ingest.read`.
        detection: what the file is.
        place: the batch.
        facts: what is known of whole columns, by their places: a shorter way to the same rows.
    """
    source = detection.source
    cell, ways, proven = _cells(detection, place, facts or {})
    extra = {name: f"x{at}" for name, at in detection.unknown_places.items()}
    # The column that says whether a cell was clean already, where it was cleaned.
    is_clean = {way[-1][0]: way[1][0] for way in ways if len(way) > 1}
    looked_at = {name: "true" if name in proven else is_clean.get(value) for name, value in cell.items()}
    stages = _stages_of(ways)
    stages[0] += [(value, f"nullif(c{value[1:]}, '')") for value in extra.values()]
    typed = [
        (f"t_{cell[column.name]}", _typed(column, cell[column.name], looked_at.get(column.name), place.shop))
        for column in _canonical(source)
        if column.name in cell
        and (column.kind in TIME_KINDS or (column.kind in NUMBER_KINDS and column.name not in proven))
    ]
    row_text = csv_text([f"c{index}" for index in range(len(detection.header.names))])
    outputs = [
        *(f"{cell.get(name, 'NULL::VARCHAR')} AS {identifier(name)}" for name in source.names),
        *(f"{value} AS {identifier(name)}" for name, value in extra.items()),
        f"{literal(place.file_name)} AS _source_file",
        "source_row AS _source_row",
        f"{literal(place.batch_id)} AS _batch_id",
        f"{_instant(place.exported_at)}::TIMESTAMP AS _exported_at",
        f"{_content_hash({**cell, **extra}) if source.rules.content_hash else 'NULL::VARCHAR'} AS _content_hash",
        f"CASE WHEN reason IS NOT NULL THEN coalesce(record_text, {row_text}) END AS _row_text",
        "reason AS _quarantine_reason",
    ]
    kept = "" if source.is_generic else f" WHERE {left_out_reason(detection, cell)} IS NULL"
    with_types = ", ".join(["*", *(f"{expression} AS {name}" for name, expression in typed)])
    return (
        f"WITH cells AS ({_in_stages(read_sql, stages)}), "
        f"typed AS (SELECT {with_types} FROM cells{kept}), "
        f"judged AS (SELECT *, {_reason(detection, cell, place, proven)} AS reason FROM typed) "
        f"SELECT {', '.join(outputs)} FROM judged"
    )


def left_out_relation(read_sql: str, detection: Detection, place: Place) -> str | None:
    """The SQL of the rows that are no rows, counted by reason (`reason`, `row_count`); nothing where all are rows."""
    if detection.source.is_generic:
        return None
    cell, ways, _ = _cells(detection, place, {})
    looked_at = {cell[name] for name in asked_columns(detection.source) if name in cell}
    stages = _stages_of([way for way in ways if way[-1][0] in looked_at])
    return (
        f"SELECT reason, count(*) AS row_count FROM (SELECT {left_out_reason(detection, cell)} AS reason "
        f"FROM ({_in_stages(read_sql, stages)})) WHERE reason IS NOT NULL GROUP BY reason"
    )


def _cells(
    detection: Detection, place: Place, facts: Facts
) -> tuple[dict[str, str], list[list[tuple[str, str]]], frozenset[str]]:
    """The SQL column of each canonical column's text, the steps that lead there from the cells as read, and the
    columns whose texts are known to be of their kind's plainest form."""
    source = detection.source
    signs = _signs(detection)
    cell: dict[str, str] = {}
    ways = []
    proven = set()
    for column in source.columns:
        if column.name not in detection.places:
            continue
        read = f"c{detection.places[column.name]}"
        held = facts.get(detection.places[column.name], frozenset())
        if source.is_generic:
            way = [(f"v_{read}", f"nullif({read}, '')" if "filled" in held else _filled(read))]
            is_known = bool(held & _PLAIN_FORMS.get(column.kind, frozenset()))
        else:
            how = cleaning(source, column, place.shop, signs)
            way = steps_applied(how, read, f"v_{read}", held)
            is_known = how.known_text(held) is not None and (column.kind != "id" or "whole_id" in held)
        if is_known:
            proven |= {column.name, *([column.last] if column.last else [])}
        cell[column.name] = way[-1][0]
        ways.append(way)
        if column.last:
            way = steps_applied(last_of_range(column), read, f"w_{read}", held)
            cell[column.last] = way[-1][0]
            ways.append(way)
    for number, (name, value) in enumerate(detection.given_from_outside.items()):
        cell[name] = f"d{number}"
        ways.append([(f"d{number}", literal(value))])
    return cell, ways, frozenset(proven)


def _signs(detection: Detection) -> NumberSigns:
    return signs_of(detection.source, detection.header.format, detection.header.delimiter)


def _stages_of(ways: Sequence[Sequence[tuple[str, str]]]) -> list[list[tuple[str, str]]]:
    """The first step of every way, the second of every way, and so on."""
    depth = max((len(way) for way in ways), default=1)
    return [[way[stage] for way in ways if stage < len(way)] for stage in range(depth)]


def _in_stages(relation: str, stages: Sequence[Sequence[tuple[str, str]]]) -> str:
    """Columns computed one after the other, so that no expression is written, or evaluated, more than once."""
    for stage in stages:
        added = ", ".join(["*", *(f"{expression} AS {name}" for name, expression in stage)])
        relation = f"SELECT {added} FROM ({relation})"
    return relation


def _content_hash(cells: Mapping[str, str]) -> str:
    """The hash of a row's filled cells and their names, whatever the order of the file's columns."""
    hashed = ", ".join(f"{literal(name)} || {_UNIT} || {value}" for name, value in sorted(cells.items()))
    return f"md5(CASE WHEN fault IS NULL THEN concat_ws({_RECORD}, {hashed}) ELSE record_text END)"


def _canonical(source: Source) -> list[Column]:
    """Every canonical column; a date range's last day is one of its own."""
    return [source.column(name) for name in source.names]


def whole_relation(parquet_sql: str, detection: Detection) -> str:
    """The rows of `judged_relation` in file order, those that share the fate of a quarantined one quarantined too.

    For sources that have a rule `whole_by`.
    """
    rule = detection.source.rules.whole_by
    assert rule is not None, f"rows of {detection.source.source} stand alone"
    reason = literal(f"{rule.reason}:{rule.column}")
    text = csv_text([identifier(name) for name in raw_names_in_order(detection)])
    return (
        f"SELECT * EXCLUDE (shares) REPLACE (CASE WHEN shares THEN {text} ELSE _row_text END AS _row_text, "
        f"CASE WHEN shares THEN {reason} ELSE _quarantine_reason END AS _quarantine_reason) "
        f"FROM (SELECT *, {_shares(parquet_sql, rule)} AS shares FROM {parquet_sql}) ORDER BY _source_row"
    )


def rows_that_share(parquet_sql: str, detection: Detection) -> str | None:
    """The sound rows that share the fate of a quarantined one; nothing for a source whose rows stand alone."""
    rule = detection.source.rules.whole_by
    return f"SELECT * FROM {parquet_sql} WHERE {_shares(parquet_sql, rule)}" if rule else None


def _shares(parquet_sql: str, rule: WholeBy) -> str:
    key = identifier(rule.column)
    return (
        f"_quarantine_reason IS NULL AND {key} IN "
        f"(SELECT {key} FROM {parquet_sql} WHERE _quarantine_reason IS NOT NULL AND {key} IS NOT NULL)"
    )


def empty_relation(source: Source) -> str:
    """The SQL of a source's typed relation without rows."""
    columns = [f"NULL::VARCHAR AS {identifier(name)}" for name in source.names]
    columns += [f"NULL::{kind} AS {name}" for name, kind in METADATA_COLUMNS.items()]
    return f"SELECT {', '.join(columns)} WHERE false"


def raw_names_in_order(detection: Detection) -> list[str]:
    """The names that the columns of the file have in raw, in the file's order."""
    named = {place: name for name, place in (*detection.places.items(), *detection.unknown_places.items())}
    return [named[place] for place in range(len(detection.header.names))]


def csv_text(cells: Sequence[str]) -> str:
    """The SQL of a row's text, written as CSV from its cells."""
    written = (
        f"CASE WHEN regexp_matches({cell}, '[\",\\r\\n]') THEN '\"' || replace({cell}, '\"', '\"\"') || '\"' "
        f"ELSE coalesce({cell}, '') END"
        for cell in cells
    )
    return f"concat_ws(',', {', '.join(written)})"


def _reason(detection: Detection, cell: dict[str, str], place: Place, proven: frozenset[str]) -> str:
    source = detection.source
    findings = [finding for column in _canonical(source) if column.name in cell
                for finding in _column_findings(source, column, cell, place, column.name in proven)]  # fmt: skip
    findings += _doubtful_numbers(detection, cell)
    findings += _row_findings(source, cell, place.shop)
    reasons = ", ".join(f"CASE WHEN {condition} THEN {literal(reason)} END" for condition, reason in findings)
    return f"CASE WHEN fault IS NOT NULL THEN fault ELSE nullif(concat_ws(',', {reasons}), '') END"


def _column_findings(
    source: Source, column: Column, cell: dict[str, str], place: Place, is_proven: bool
) -> list[tuple[str, str]]:
    value, typed = cell[column.name], f"t_{cell[column.name]}"
    findings = []
    if column.required:
        findings.append((f"{value} IS NULL", f"missing_required:{column.name}"))
    if is_proven and (column.kind == "id" or column.kind in NUMBER_KINDS):
        return findings
    match column.kind:
        case "id":
            findings += id_findings(column, value, is_generic=source.is_generic)
        case "enum":
            allowed = ", ".join(literal(allowed) for allowed in column.values)
            findings.append((f"{value} NOT IN ({allowed})", f"{column.reason}:{column.name}"))
        case "boolean":
            findings.append((f"lower({value}) NOT IN ('true', 'false')", f"unparsable_value:{column.name}"))
        case "text":
            pass
        case _:
            findings.append((f"{value} IS NOT NULL AND {typed} IS NULL", f"unparsable_value:{column.name}"))
    if column.kind == "quantity":
        findings.append((f"{typed} < 0", f"negative_quantity:{column.name}"))
    if column.not_negative:
        findings.append((f"{typed} < 0", f"negative_price:{column.name}"))
    if column.kind in TIME_KINDS and column.time_rules:
        start = f"timezone({literal(place.shop.time_zone)}, TIMESTAMP '2000-01-01')"
        if not is_proven:
            findings.append((f"{typed} < {start}", f"time_before_2000:{column.name}"))
        if not column.export_time:
            latest = f"{_row_export_time(source, cell, place)} + INTERVAL 1 DAY"
            findings.append((f"{typed} > {latest}", f"time_after_export:{column.name}"))
    return findings


def _doubtful_numbers(detection: Detection, cell: dict[str, str]) -> list[tuple[str, str]]:
    signs = _signs(detection)
    conditions = {
        column.name: doubtful(column, signs, cell[column.name], f"c{detection.places[column.name]}")
        for column in detection.source.columns
        if column.name in detection.places
    }
    return [(condition, f"ambiguous_number:{name}") for name, condition in conditions.items() if condition]


def _row_findings(source: Source, cell: dict[str, str], shop: Shop) -> list[tuple[str, str]]:
    rules = source.rules
    findings = [
        (f"t_{cell[rule.column]} < t_{cell[rule.earlier]}", f"{rule.reason}:{rule.column}")
        for rule in rules.not_before
        if rule.column in cell and rule.earlier in cell
    ]
    if rules.shop_currency in cell:
        value = f"upper(trim({cell[rules.shop_currency]}))"
        findings.append((f"{value} <> {literal(shop.currency)}", f"foreign_currency:{rules.shop_currency}"))
    if rules.one_of:
        given = [cell[name] for name in rules.one_of if name in cell]
        findings.append((f"coalesce({', '.join(given)}) IS NULL", f"missing_required:{'|'.join(rules.one_of)}"))
    return findings


def _filled(value: str) -> str:
    """The cell, null where it holds nothing but blanks. Few cells begin with one: only those are trimmed."""
    trimmed = f"CASE WHEN trim({value}, E'{_BLANKS}') = '' THEN NULL ELSE {value} END"
    return f"CASE WHEN {value} < '!' THEN {trimmed} ELSE {value} END"


def _typed(column: Column, value: str, is_clean: str | None, shop: Shop) -> str:
    """The cell as what it means: an instant, a number; null where it does not parse.

    A cell that was found clean is of the kind's plainest form, and is not asked again.
    """
    zone = literal(shop.time_zone)
    if is_clean is not None:
        by_pattern = _typed(column, value, None, shop)
        match column.kind:
            case "timestamp":
                cast = f"timezone({zone}, TRY_CAST({value} AS TIMESTAMP))"
            case "date" | "date_range":
                cast = f"timezone({zone}, TRY_CAST({value} AS DATE)::TIMESTAMP)"
            case _:
                cast = f"TRY_CAST({value} AS {_NUMBER_TYPE})"
        return cast if is_clean == "true" else f"CASE WHEN {is_clean} THEN {cast} ELSE {by_pattern} END"
    match column.kind:
        case "timestamp":
            return (
                f"CASE WHEN regexp_full_match({value}, '{_NAIVE_TIME}') "
                f"THEN timezone({zone}, TRY_CAST({value} AS TIMESTAMP)) "
                f"WHEN regexp_full_match({value}, '{_ZONED_TIME}') THEN TRY_CAST({value} AS TIMESTAMPTZ) END"
            )
        case "date" | "date_range":
            return (
                f"CASE WHEN regexp_full_match({value}, '{_DAY}') "
                f"THEN timezone({zone}, TRY_CAST({value} AS DATE)::TIMESTAMP) END"
            )
        case _:
            return f"CASE WHEN regexp_full_match({value}, '{_NUMBER}') THEN TRY_CAST({value} AS {_NUMBER_TYPE}) END"


def _row_export_time(source: Source, cell: dict[str, str], place: Place) -> str:
    given = [f"t_{cell[column.name]}" for column in source.columns if column.export_time and column.name in cell]
    return f"coalesce({', '.join([*given, _instant(place.exported_at)])})"


def _instant(moment: datetime | None) -> str:
    if moment is None:
        return "NULL::TIMESTAMPTZ"
    return f"TIMESTAMPTZ {literal(moment.isoformat(sep=' '))}"
