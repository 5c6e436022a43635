"""`renqun audience`: what was published of each audience, what would be, and an operator's word on it."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from renqun.cli.dates import DateOption, OptionalDateOption, day, optional_day
from renqun.cli.output import JsonOption, ShopOption, print_facts, print_json, print_table
from renqun.settings import DEFAULT_SHOP, Home

if TYPE_CHECKING:
    from renqun.publish.catalog import AudienceSummary
    from renqun.publish.members import Step

app = typer.Typer(help="Audiences: list, preview, compare, release, withdraw.", no_args_is_help=True)

AudienceArgument = Annotated[str, typer.Argument(metavar="AUDIENCE", help="The audience's id.")]
ByOption = Annotated[str, typer.Option("--by", help="Who says so; default: the user of this machine.")]
_DIFF_SHOWN = 20


@app.command("list")
def list_all(shop_id: ShopOption = DEFAULT_SHOP, as_json: JsonOption = False) -> None:
    """All audiences, with what became of each at its last publication."""
    from renqun.publish.catalog import list_audiences

    home = Home.from_environment()
    audiences = list_audiences(home, home.shop(shop_id).id)
    if as_json:
        print_json(
            [
                {
                    "audience": one.audience_id,
                    "name": one.name_en,
                    "name_zh": one.name_zh,
                    "owner": one.owner,
                    "latest_as_of": one.as_of,
                    "latest_version": one.version,
                    "members": one.members,
                    "expires_on": one.expires_on,
                    "last_tried": one.last_tried,
                    "last_status": one.status,
                    "reason": one.reason,
                    "versions": one.versions,
                    "withdrawn": one.withdrawn,
                    "match_rates": {to: rate.rate for to, rate in one.match_rates.items()},
                }
                for one in audiences
            ]
        )
        return
    titles = ("audience", "name", "latest", "version", "members", "use until", "last outcome", "why", "matched")
    rows = [
        (
            one.audience_id, f"{one.name_en} {one.name_zh}", one.as_of, one.version, one.members, one.expires_on,
            one.status, one.reason, _matched(one),
        )
        for one in audiences
    ]  # fmt: skip
    print_table("", titles, rows)


def _matched(summary: AudienceSummary) -> str | None:
    rates = [f"{to} {one.rate:.0%} ({one.as_of})" for to, one in summary.match_rates.items() if one.rate is not None]
    return ", ".join(rates) or None


@app.command("preview")
def preview(
    audience_id: AudienceArgument,
    shop_id: ShopOption = DEFAULT_SHOP,
    date: OptionalDateOption = None,
    as_json: JsonOption = False,
) -> None:
    """What publishing an audience from published marts would do. Nothing is written."""
    from renqun.publish.preview import preview as look

    home = Home.from_environment()
    found = look(home, home.shop(shop_id).id, audience_id, as_of=optional_day(date))
    if as_json:
        print_json({**asdict(found), "trigger": found.trigger and found.trigger.model_dump(mode="json")})
        return
    print_facts({"audience": found.audience_id, "marts": f"as of {found.as_of}, version {found.marts_version}"})
    _print_steps("rule", found.steps)
    for one in found.destinations:
        _print_steps(one.destination, one.steps)
        print_facts({"rows": f"{one.rows:,}", "no list": one.refused} if one.refused else {"rows": f"{one.rows:,}"})
    if found.trigger:
        told = found.trigger
        print_table(
            "",
            ("due messages", "of them"),
            [
                ("due", f"{told.due:,}"),
                *((f"without {cause}", f"{count:,}") for cause, count in told.held_back.items()),
                ("sent before", f"{told.sent_before:,}"),
                ("waiting", f"{told.waiting:,}"),
                ("superseded", f"{told.superseded:,}"),
                ("listed", f"{told.rows:,}"),
                ("late", f"{told.late:,}"),
            ],
        )
    print_facts(
        {
            "members": f"{found.members:,}",
            "published before": f"{found.previous_members:,}",
            "would be added": f"{found.added:,}",
            "would be removed": f"{found.removed:,}",
            "would be": {"selected": "published"}.get(found.state, found.state.replace("_", " ")),
            "why": found.reason,
        }
    )


def _print_steps(title: str, steps: Sequence[Step]) -> None:
    print_table("", (title, "drops", "left"), [(step.name, f"{step.dropped:,}", f"{step.people:,}") for step in steps])


@app.command("diff")
def diff(
    audience_id: AudienceArgument,
    older: Annotated[str | None, typer.Argument(help="A version; default: the one before.")] = None,
    newer: Annotated[str | None, typer.Argument(help="A version, or 'now'; default: latest.")] = None,
    shop_id: ShopOption = DEFAULT_SHOP,
    as_json: JsonOption = False,
) -> None:
    """Who came and who went between two versions, and by which rule; `now`: what the rules mean by the newest marts."""
    from renqun.publish.differences import diff as compare

    home = Home.from_environment()
    found = compare(home, home.shop(shop_id).id, audience_id, older, newer)
    if as_json:
        print_json(asdict(found))
        return
    print(
        f"{audience_id}: {found.older or 'nothing'} ({found.older_members:,}) → {found.newer} ({found.newer_members:,})"
    )
    for what, keys in (("added", found.added), ("removed", found.removed)):
        more = f" … {len(keys) - _DIFF_SHOWN:,} more" if len(keys) > _DIFF_SHOWN else ""
        print(f"{what} {len(keys):,}: {' '.join(keys[:_DIFF_SHOWN])}{more}")
    if found.by_rule:
        rows = [(one.rule, f"{one.added:,}", f"{one.removed:,}") for one in found.by_rule]
        print_table("", ("first rule not met", "added: before", "removed: now"), rows)


@app.command("schema")
def schema(
    what: Annotated[
        str, typer.Argument(help="audience-definition, audience-manifest, audience-catalogue, …")
    ] = "audience-definition",
) -> None:
    """The JSON schema of definitions, or of a file that is published."""
    from renqun.publish.published_schemas import json_schema

    print(json_schema(what), end="")


@app.command("contract")
def contract(
    audience_id: AudienceArgument,
    version: Annotated[str | None, typer.Argument(help="A version; default: latest.")] = None,
    shop_id: ShopOption = DEFAULT_SHOP,
) -> None:
    """The Open Data Contract (ODCS) of a published version."""
    from renqun.publish.contracts import contract_text
    from renqun.publish.differences import find_version

    home = Home.from_environment()
    found = find_version(home, home.shop(shop_id).id, audience_id, version)
    print(contract_text(found.manifest, is_withdrawn=found.is_withdrawn), end="")


@app.command("release")
def release(
    audience_id: AudienceArgument,
    date: DateOption,
    reason: Annotated[str, typer.Option(help="Why the change is right.")],
    by: ByOption = "",
    shop_id: ShopOption = DEFAULT_SHOP,
    as_json: JsonOption = False,
) -> None:
    """Let held-back content go out with the next run; it holds for exactly the people that were held back."""
    from renqun.publish.withdrawal import release as let_go

    home = Home.from_environment()
    who = by or getpass.getuser()
    let_go(home, home.shop(shop_id).id, audience_id, day(date), released_by=who, reason=reason)
    if as_json:
        print_json({"audience": audience_id, "date": date, "released_by": who, "reason": reason})
        return
    print(f"released; it goes out with: renqun run --date {date} --shop {shop_id}")


@app.command("withdraw")
def withdraw(
    audience_id: AudienceArgument,
    reason: Annotated[str, typer.Option(help="Why it must not be used.")],
    by: ByOption = "",
    version: Annotated[str | None, typer.Option(help="The version; default: latest.")] = None,
    shop_id: ShopOption = DEFAULT_SHOP,
    as_json: JsonOption = False,
) -> None:
    """Take a published version back: the pointer goes back, and a recall file names who must be removed."""
    from renqun.publish.mirror import mirror_audiences
    from renqun.publish.withdrawal import withdraw as take_back

    home = Home.from_environment()
    who = by or getpass.getuser()
    shop = home.shop(shop_id)
    taken = take_back(home, shop.id, audience_id, version, withdrawn_by=who, reason=reason)
    mirror_audiences(home.paths(shop.id), shop)
    if as_json:
        print_json(taken.model_dump(mode="json"))
    else:
        print_facts(taken.model_dump(mode="json"))
