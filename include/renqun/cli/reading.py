"""`renqun sql` and `renqun verify`: reading what was published."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from renqun.cli.dates import OptionalDateOption, optional_day
from renqun.cli.output import JsonOption, ShopOption, print_facts, print_json, print_table
from renqun.errors import ExitCode
from renqun.settings import DEFAULT_SHOP, Home

if TYPE_CHECKING:
    import duckdb

_TABLES = """
select table_name as mart, count(*) as columns from information_schema.columns
where table_schema = 'marts' group by all order by all
"""


def sql(
    query: Annotated[
        str | None, typer.Argument(metavar="[QUERY]", help="One select; '-' reads it from standard input.")
    ] = None,
    shop_id: ShopOption = DEFAULT_SHOP,
    day: OptionalDateOption = None,
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, with a header.")] = False,
    limit: Annotated[int, typer.Option(help="Rows shown in a table; --json and --csv print all.")] = 100,
) -> None:
    """Query the published marts, read-only. Without a query: which marts there are."""
    from renqun.publish.reader import execute_query, open_marts

    text = sys.stdin.read() if query == "-" else query or _TABLES
    home = Home.from_environment()
    connection = open_marts(home, home.shop(shop_id).id, optional_day(day))
    try:
        cursor = execute_query(connection, text)
        columns = [column[0] for column in cursor.description or ()]
        if as_csv:
            _print_csv(columns, cursor)
        elif as_json:
            print_json([dict(zip(columns, row, strict=True)) for row in cursor.fetchall()])
        else:
            rows = cursor.fetchmany(limit + 1)
            print_table("", columns, rows[:limit])
            if len(rows) > limit:
                print(f"… more than {limit} rows; --limit shows more")
    finally:
        connection.close()


def verify(
    path: Annotated[
        str, typer.Argument(help="A version's folder, a link to it, or an audience's latest.json; s3://… too.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Prove a published version offline: schema, counts, sha256, gates passed."""
    if path.startswith("s3://"):
        from renqun.publish.verify_objects import verify_url

        report = verify_url(path)
    else:
        from renqun.publish.verify import verify as check

        report = check(Path(path))
    if as_json:
        print_json({**asdict(report), "passed": report.passed})
    else:
        print_facts(
            {
                "path": report.path,
                "what": f"{report.kind or 'unknown'} as of {report.as_of or '?'}, version {report.version or '?'}",
                "files checked": report.files_checked,
                "verdict": "sound" if report.passed else f"{len(report.failures)} faults",
            }
        )
        for failure in report.failures:
            print(f"  ✗ {failure.id}: {failure.subject}: {failure.message}")
        for note in report.notes:
            print(f"  · {note}")
    if not report.passed:
        raise typer.Exit(int(ExitCode.HELD_BACK))


def _print_csv(columns: list[str], cursor: duckdb.DuckDBPyConnection) -> None:
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    while rows := cursor.fetchmany(10_000):
        writer.writerows(rows)
