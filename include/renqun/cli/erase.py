"""`renqun erase`: a person is taken out of everything that a shop keeps, with a proof."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from renqun.cli.output import JsonOption, ShopOption, print_facts, print_json, print_table
from renqun.errors import ExitCode
from renqun.settings import DEFAULT_SHOP, Home

if TYPE_CHECKING:
    from renqun.erase.erasure import ErasureReport

app = typer.Typer(help="Erase a person from everything that a shop keeps.", no_args_is_help=True)

_IN_WORDS = {
    "proven": "nothing is left",
    "planned": "nothing was changed",
    "recalls_to_serve": "recall files wait: serve them, then say so with 'renqun erase served'",
    "found_again": "something still names the person that this program does not write anew: see 'left'",
    "files_to_take_in": "files of the drop folder still name the person: take them in, then erase again",
}


@app.command("customer")
def customer(
    who: Annotated[
        str, typer.Argument(metavar="WHO", help="A customer id, phone number, e-mail address or customer key.")
    ],
    shop_id: ShopOption = DEFAULT_SHOP,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only search, and say where the person is.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Take a person out of raw, the warehouse, everything published, verdicts and logs.

    Exit code 1 where something is left to do: recall files to serve, or files to take in first.
    """
    from renqun.erase.erasure import erase

    home = Home.from_environment()
    _tell(erase(home, home.shop(shop_id), who, now=_now(), dry_run=dry_run), as_json)


@app.command("served")
def served(
    fingerprint: Annotated[str, typer.Argument(metavar="FINGERPRINT", help="Of the erasure, as its report says.")],
    by: Annotated[str, typer.Option("--by", help="Who served the recall files.")],
    shop_id: ShopOption = DEFAULT_SHOP,
    as_json: JsonOption = False,
) -> None:
    """Say that the recall files were served at every destination: they go, and everything is searched once more."""
    from renqun.erase.erasure import erase

    home = Home.from_environment()
    _tell(erase(home, home.shop(shop_id), fingerprint, now=_now(), served_by=by), as_json)


@app.command("list")
def list_all(shop_id: ShopOption = DEFAULT_SHOP, as_json: JsonOption = False) -> None:
    """All erasures, by fingerprint: what was removed, and what is left to do."""
    from renqun.erase.erasure import reports

    home = Home.from_environment()
    found = reports(home.paths(home.shop(shop_id).id))
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    rows = [
        (one.fingerprint, one.erased_at, one.status, sum(place.removed for place in one.places.values()), one.versions)
        for one in found
    ]
    print_table("", ("fingerprint", "erased at", "status", "removed", "versions changed"), rows)


def _tell(report: ErasureReport, as_json: bool) -> None:
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        print_facts(
            {
                "fingerprint": report.fingerprint,
                "status": _IN_WORDS[report.status],
                "identifiers": ", ".join(f"{number} {kind}" for kind, number in report.identifiers.items() if number),
                "versions changed": report.versions,
            }
        )
        rows: list[tuple[object, ...]] = [
            (place, one.searched, f"{one.found:,}", f"{one.removed:,}", report.left.get(place))
            for place, one in report.places.items()
        ]
        rows += [(place, None, None, None, left) for place, left in report.left.items() if place not in report.places]
        print_table("", ("place", "files searched", "found", "removed", "left"), rows)
        for what, files in (("recall", report.recalls), ("not taken in", report.waiting)):
            for file in files:
                print(f"{what}: {file}")
        if report.needs_build:
            print(
                f"the next run makes everything anew from raw: renqun run --date <newest day> --shop {report.shop_id}"
            )
    if report.status not in ("proven", "planned"):
        raise typer.Exit(int(ExitCode.HELD_BACK))


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
