"""`renqun explain`: why somebody is in a segment, or what an audience is made of."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from renqun.cli.dates import OptionalDateOption, optional_day
from renqun.cli.output import JsonOption, ShopOption, print_facts, print_json, print_table
from renqun.errors import RequestError
from renqun.settings import DEFAULT_SHOP, Home

app = typer.Typer(help="Why a customer or an audience is what it is.", no_args_is_help=True)

_CUSTOMER = """
select customer_key, customer_ids from marts.dim_customers
where customer_key = $who or list_contains(customer_ids, $who)
"""
_MEMBERSHIPS = """
select segment_id, entered_on, exited_on, reason from marts.fct_segment_memberships
where customer_key = $key order by entered_on desc, segment_id
"""


@app.command("customer")
def customer(
    who: Annotated[str, typer.Argument(metavar="CUSTOMER", help="A customer key, or an id as exported.")],
    shop_id: ShopOption = DEFAULT_SHOP,
    day: OptionalDateOption = None,
    as_json: JsonOption = False,
) -> None:
    """A customer's segments, now and before, with the reason of each."""
    from renqun.publish.reader import open_marts

    home = Home.from_environment()
    connection = open_marts(home, home.shop(shop_id).id, optional_day(day))
    try:
        found = connection.execute(_CUSTOMER, {"who": who}).fetchone()
        if found is None:
            raise RequestError(
                f"the marts know no customer {who!r}", remedy="give a customer key, or a customer id as exported"
            )
        rows = connection.execute(_MEMBERSHIPS, {"key": found[0]}).fetchall()
    finally:
        connection.close()
    names = ("segment", "entered_on", "exited_on", "reason")
    if as_json:
        spells = [dict(zip(names, row, strict=True)) for row in rows]
        print_json({"customer_key": found[0], "customer_ids": found[1], "memberships": spells})
        return
    print_facts({"customer key": found[0], "customer ids": ", ".join(found[1])})
    print_table("", ("segment", "since", "until", "reason"), rows)


@app.command("audience")
def audience(
    audience_id: Annotated[str, typer.Argument(metavar="AUDIENCE", help="The audience's id.")],
    shop_id: ShopOption = DEFAULT_SHOP,
    as_json: JsonOption = False,
) -> None:
    """An audience's definition, and what its latest version holds."""
    from renqun.publish.definitions import load_audience
    from renqun.publish.history import AudienceFolder

    home = Home.from_environment()
    definition = load_audience(audience_id)
    folder = AudienceFolder.of(home.paths(home.shop(shop_id).id), audience_id)
    latest, outcomes = folder.latest(), folder.outcomes()
    facts: dict[str, Any] = {
        "definition": definition.model_dump(mode="json"),
        "latest": latest and latest.manifest.model_dump(mode="json", exclude={"files", "batches", "provenance"}),
        "last_outcome": outcomes[-1].model_dump(mode="json") if outcomes else None,
    }
    if as_json:
        print_json(facts)
        return
    print_facts(
        {
            "audience": f"{definition.name.en} ({definition.name.zh})",
            "purpose": definition.purpose,
            "owner": definition.owner,
            "includes": definition.include.segment,
            "excludes": ", ".join(criterion.segment for criterion in definition.exclude) or None,
            "last outcome": outcomes[-1].status if outcomes else None,
            "why": outcomes[-1].reason if outcomes else None,
            "latest": latest and f"{latest.manifest.as_of} version {latest.version}",
            "members": latest and f"{latest.manifest.counts.members:,}",
            "added": latest and f"{latest.manifest.counts.added:,}",
            "removed": latest and f"{latest.manifest.counts.removed:,}",
            "use until": latest and latest.manifest.expires_on,
        }
    )
