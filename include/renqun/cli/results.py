"""`renqun audience receipt|receipts|lift|mirror`: what became of audiences outside, and what they brought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from renqun.cli.dates import OptionalDateOption, optional_day
from renqun.cli.output import JsonOption, ShopOption, print_facts, print_json, print_table
from renqun.settings import DEFAULT_SHOP, Home

OptionalAudience = Annotated[
    str | None, typer.Argument(metavar="[AUDIENCE]", help="The audience's id; default: all of them.")
]


_LIFT_TITLES = (
    "audience", "period", "verdict", "contacted", "rate", "held out", "rate", "difference", "seen from", "net gained",
)  # fmt: skip
app = typer.Typer(help="What became of audiences outside.")


@app.command("receipt")
def receipt(
    file: Annotated[Path, typer.Argument(help="What a platform said of uploaded lists: CSV or JSON.")],
    shop_id: ShopOption = DEFAULT_SHOP,
    as_json: JsonOption = False,
) -> None:
    """Read back what platforms matched of uploaded lists, and keep it beside the versions."""
    from renqun.publish.receipts import keep_receipts

    home = Home.from_environment()
    report = keep_receipts(home, home.shop(shop_id).id, file)
    if as_json:
        print_json({"kept": [one.model_dump(mode="json") for one in report.kept], "known": report.known})
        return
    print_facts({"kept": len(report.kept), "known before": report.known})


@app.command("receipts")
def receipts(
    audience_id: OptionalAudience = None, shop_id: ShopOption = DEFAULT_SHOP, as_json: JsonOption = False
) -> None:
    """The match rate of every list that a platform has answered for."""
    from renqun.publish.definitions import load_audience
    from renqun.publish.receipts import match_rates

    home = Home.from_environment()
    if audience_id is not None:
        load_audience(audience_id)
    rates = match_rates(home.paths(home.shop(shop_id).id), audience_id)
    rows: list[dict[str, Any]] = [
        {
            "audience": one.audience_id,
            "as_of": one.as_of,
            "version": one.version,
            "destination": one.destination,
            "list": one.list,
            "delivered": one.delivered,
            "uploaded": one.uploaded,
            "matched": one.matched,
            "match_rate": one.rate,
            "told_on": one.told_on,
            "receipts": one.receipts,
        }
        for one in rates
    ]
    if as_json:
        print_json(rows)
    elif rows:
        shown = [{**row, "match_rate": _percent(row["match_rate"])} for row in rows]
        print_table("", tuple(rows[0]), [tuple(row.values()) for row in shown])
    else:
        print("no platform has answered yet; 'renqun audience receipt FILE' reads an answer")


@app.command("mirror")
def mirror(shop_id: ShopOption = DEFAULT_SHOP, as_json: JsonOption = False) -> None:
    """Copy what is published to the shop's object store (publishing: {publish_to: s3://…}); goes on where one ended."""
    from renqun.errors import RequestError
    from renqun.publish.mirror import mirror_audiences

    home = Home.from_environment()
    shop = home.shop(shop_id)
    report = mirror_audiences(home.paths(shop.id), shop)
    if report is None:
        raise RequestError(
            f"the shop {shop.id!r} has no object store",
            where=str(home.shops_file),
            remedy="give it one in shops.yml: publishing: {publish_to: s3://bucket/prefix}",
        )
    if as_json:
        print_json(asdict(report))
        return
    print_facts(
        {
            "to": report.url,
            "new versions": len(report.versions),
            "withdrawals": len(report.withdrawals),
            "pointers moved": ", ".join(report.pointers) or None,
        }
    )


@app.command("lift")
def lift(
    audience_id: OptionalAudience = None,
    shop_id: ShopOption = DEFAULT_SHOP,
    date: OptionalDateOption = None,
    as_json: JsonOption = False,
) -> None:
    """What audiences brought: the contacted beside the holdout, as the published marts have it (agg_audience_lift)."""
    from renqun.publish.definitions import load_audience
    from renqun.publish.lift import lift_of

    home = Home.from_environment()
    rows = lift_of(home, home.shop(shop_id).id, audience_id, as_of=optional_day(date))
    if audience_id is not None and not rows:
        load_audience(audience_id)
    if as_json:
        print_json(rows)
    elif rows:
        print_table("", _LIFT_TITLES, [_lift_row(row) for row in rows])
    else:
        print("nothing to tell yet: no exposure's window is over (docs/definitions/audience-outcomes.md)")


def _lift_row(row: Mapping[str, Any]) -> tuple[str | None, ...]:
    low, high = _points(row["rate_difference_low"]), _points(row["rate_difference_high"])
    difference = _points(row["rate_difference"])
    return (
        row["audience_id"],
        row["period"],
        row["verdict"],
        f"{row['contacted_customers']:,}",
        _percent(row["contacted_rate"]),
        f"{row['holdout_customers']:,}",
        _percent(row["holdout_rate"]),
        difference and f"{difference} ({low} to {high})",
        _points(row["detectable_rate_difference"]),
        None if row["incremental_net_amount"] is None else f"{row['incremental_net_amount']:,}",
    )


def _percent(share: float | Decimal | None) -> str | None:
    return None if share is None else f"{share:.2%}"


def _points(share: float | None) -> str | None:
    """A difference of two shares, in percentage points."""
    return None if share is None else f"{share * 100:+.2f}"
