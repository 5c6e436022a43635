"""`renqun simulate`: a believable shop to try things with."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from renqun.cli.dates import optional_day
from renqun.cli.output import JsonOption, ShopOption, console, print_facts, print_json
from renqun.settings import DEFAULT_SHOP, Home

if TYPE_CHECKING:
    from renqun.simulate import Form


def simulate(
    shop_id: ShopOption = DEFAULT_SHOP,
    out: Annotated[Path | None, typer.Option(help="The landing folder to fill; default: the shop's.")] = None,
    truth: Annotated[
        Path | None, typer.Option(help="Where to write the planted truth; default: truth.json beside the landing.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Equal arguments give equal bytes.")] = 1,
    customers: Annotated[int | None, typer.Option(help="Persons who order.")] = None,
    end: Annotated[str | None, typer.Option(help="The last day, YYYY-MM-DD.", metavar="D")] = None,
    days: Annotated[int | None, typer.Option(help="Days of orders up to the last day.")] = None,
    traffic_days: Annotated[int | None, typer.Option(help="Days of traffic up to the last day.")] = None,
    events_per_day: Annotated[int | None, typer.Option(help="Events a day, on average.")] = None,
    small: Annotated[bool, typer.Option("--small", help="Three hundred customers instead of twenty thousand.")] = False,
    form: Annotated[
        str, typer.Option(help="Whose files the orders come in.", metavar="generic|taobao|taobao_xlsx|shopify")
    ] = "generic",
    as_json: JsonOption = False,
) -> None:
    """Make a shop's exports, with customers whose segments and funnels are known by construction."""
    from renqun.simulate import demo_config, small_config
    from renqun.simulate import simulate as make

    home = Home.from_environment()
    shop = home.shop(shop_id)
    base = small_config(seed) if small else demo_config(seed)
    last = optional_day(end) or base.end
    span = days or (base.end - base.start).days + 1
    config = replace(
        base,
        start=last - timedelta(days=span - 1),
        end=last,
        customers=customers or base.customers,
        traffic_days=traffic_days or base.traffic_days,
        events_per_day=events_per_day or base.events_per_day,
        time_zone=shop.time_zone,
        currency=shop.currency,
        truth_dates=base.truth_dates if last == base.end else (),
        form=cast("Form", form),
    )
    landing = out or home.paths(shop.id).landing
    target = truth or landing.parent / "truth.json"
    screen = console(stderr=True)
    with screen.status("simulating …") as status:
        summary = make(config, landing, target, progress=lambda what, part: status.update(f"{what} {part:.0%}"))
    if as_json:
        print_json(asdict(summary))
        return
    print_facts(
        {
            "landing": summary.landing,
            "truth": summary.truth,
            "first day": summary.first_date,
            "last day": summary.as_of,
            "files": f"{summary.files:,}",
            "customers": f"{summary.customers:,}",
            "orders": f"{summary.orders:,}",
            "events": f"{summary.events:,}",
        }
    )
    if out is None:
        print(f"load it: renqun run --from {summary.first_date} --to {summary.as_of} --shop {shop.id}")
