"""`renqun close-day`, `sources` and `batches`: what was delivered, and what became of it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from renqun.cli.dates import DateOption, OptionalDateOption, day, optional_day
from renqun.cli.output import JsonOption, ShopOption, print_facts, print_json, print_table
from renqun.errors import ExitCode, RequestError
from renqun.settings import DEFAULT_SHOP, GROUPS, Group, Home

if TYPE_CHECKING:
    from renqun.ingest.inspection import FileInspection

sources = typer.Typer(help="The kinds of exports that are understood.", no_args_is_help=True)
batches = typer.Typer(help="The files that were taken in.", no_args_is_help=True)


def close_day(
    date: DateOption,
    group: Annotated[str, typer.Option(help=f"The group: {', '.join(GROUPS)}.")],
    shop_id: ShopOption = DEFAULT_SHOP,
    as_json: JsonOption = False,
) -> None:
    """Say that a day has no file of a group, so that nobody waits for it. A file that comes later is still taken."""
    from renqun.ingest.days import close_day as close
    from renqun.ingest.days import group_is_delivered

    home = Home.from_environment()
    shop = home.shop(shop_id)
    had_files = group_is_delivered(home.paths(shop.id), _group(group), day(date))
    is_news = close(home, shop, _group(group), day(date))
    if as_json:
        print_json({"shop": shop.id, "group": group, "date": date, "is_news": is_news, "had_files": had_files})
        return
    if is_news and had_files:
        print(f"{date} has {group} files of {shop_id} already; they stay")
    print(f"{date} is closed for {group} of {shop_id}" + ("" if is_news else " already"))


@sources.command("list")
def list_all(as_json: JsonOption = False) -> None:
    """All kinds of exports, with the columns they must have."""
    from renqun.ingest.catalogue import list_sources

    if as_json:
        print_json([source.model_dump(mode="json") for source in list_sources()])
        return
    rows = [
        (
            source.source,
            source.group,
            source.title,
            " ".join(source.formats),
            " ".join(source.required_headers),
            len(source.columns),
            ", ".join(version.name for version in source.versions) or None,
        )
        for source in list_sources()
    ]
    print_table("", ("source", "group", "what", "formats", "required columns", "columns", "header versions"), rows)


@sources.command("check")
def check(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A file as exported.")],
    shop_id: ShopOption = DEFAULT_SHOP,
    date: OptionalDateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a file is, which of its columns are known, and which rows would be set aside. Nothing is taken in.

    Exit code 2 where nothing of it would count.
    """
    from renqun.ingest.inspection import inspect_file

    found = inspect_file(Home.from_environment().shop(shop_id), file, day=optional_day(date))
    if as_json:
        print_json(asdict(found))
    else:
        _print_inspection(found)
    if found.rejected_because:
        raise typer.Exit(ExitCode.BAD_REQUEST)


def _print_inspection(found: FileInspection) -> None:
    from renqun.ingest.reasons import in_words

    print_facts(
        {
            "file": found.file_name,
            "what": f"{found.title} ({found.source})",
            "belongs into": found.drop_folder,
            "format": found.format if found.format == found.encoding else f"{found.format}, {found.encoding}",
            "sheet": found.sheet or None,
            "header version": found.header_version,
            "about": " to ".join(sorted({str(about) for about in found.days})) if found.days else None,
            "known columns": ", ".join(
                name if name == canonical else f"{name} → {canonical}"
                for name, canonical in found.mapped_columns.items()
            ),
            "absent columns": ", ".join(found.missing_columns) or None,
            "unknown columns": ", ".join(found.unknown_columns) or None,
            "rows": f"{found.counts.rows_read:,}",
            "set aside": f"{found.counts.rows_quarantined:,}",
            "left out": f"{sum(found.counts.rows_left_out.values()):,}",
        }
    )
    for note in found.notes:
        print(f"note: {note}")
    for reason, rows in found.counts.rows_left_out.items():
        print(f"  {rows:>8,}  left out: {reason}: {in_words(reason)}")
    for reason, rows in sorted(found.counts.quarantine_reasons.items()):
        print(f"  {rows:>8,}  {reason}: {in_words(reason)}")
    for example in found.examples:
        cells = ", ".join(f"{name}={value!r}" for name, value in example.cells.items())
        place = f"row {example.row}" if example.line is None else f"line {example.line}"
        print(f"  {place}: {', '.join(example.reasons)}" + (f": {cells}" if cells else ""))
    if found.preview:
        # Exports have more columns than a line has room for, and the preview few rows.
        lines = [(name, *(row[name] for row in found.preview)) for name in found.preview[0]]
        heads = ("column", *(f"row {place}" for place in range(1, len(found.preview) + 1)))
        print_table("the first rows; personal data and unknown columns masked", heads, lines)
    if found.rejected_because:
        print(f"this file would be rejected: {found.rejected_because}")


@batches.command("list")
def list_batches(
    shop_id: ShopOption = DEFAULT_SHOP,
    date: OptionalDateOption = None,
    group: Annotated[str | None, typer.Option(help="Only this group.")] = None,
    as_json: JsonOption = False,
) -> None:
    """All files that were taken in or refused, with their rows and verdict."""
    from renqun.ingest.ledger import all_batches

    home = Home.from_environment()
    wanted_day, wanted_group = optional_day(date), None if group is None else _group(group)
    records = [
        record
        for record in all_batches(home.paths(home.shop(shop_id).id))
        if wanted_day in (None, record.ds) and wanted_group in (None, record.group)
    ]
    if as_json:
        print_json([record.model_dump(mode="json") for record in records])
        return
    rows = [
        (
            record.batch_id,
            record.source or None,
            record.ds,
            record.file_name,
            record.rows_read,
            record.rows_quarantined,
            sum(record.rows_left_out.values()),
            record.verdict + (f": {record.rejected_because}" if record.rejected_because else ""),
        )
        for record in records
    ]
    print_table("", ("batch", "source", "date", "file", "rows", "quarantined", "left out", "verdict"), rows)


@batches.command("withdraw")
def withdraw(
    batch_id: Annotated[str, typer.Argument(metavar="BATCH", help="The batch, or the beginning of its id.")],
    shop_id: ShopOption = DEFAULT_SHOP,
    as_json: JsonOption = False,
) -> None:
    """Take an accepted file out again; the next build forgets its rows."""
    from renqun.ingest.promote import withdraw_batch
    from renqun.lock import exclusive

    home = Home.from_environment()
    shop = home.shop(shop_id)
    with exclusive(home.paths(shop.id).run_lock, f"renqun batches withdraw {batch_id}"):
        record = withdraw_batch(home, shop, batch_id)
    if as_json:
        print_json(record.model_dump(mode="json"))
        return
    print(f"withdrew {record.batch_id} ({record.source}, {record.ds}, {record.file_name}, {record.rows_read:,} rows)")
    print(f"the next build forgets its rows: renqun run --date <newest day> --shop {shop_id}")


def _group(text: str) -> Group:
    if text not in GROUPS:
        raise RequestError(f"no group is called {text!r}", remedy=f"groups: {', '.join(GROUPS)}")
    return cast(Group, text)
