"""`renqun explain`: why somebody is in a segment, or what an audience is made of."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from renqun.cli.dates import OptionalDateOption, optional_day
from renqun.cli.output import JsonOption, ShopOption, print_facts, print_json
from renqun.settings import DEFAULT_SHOP, Home

app = typer.Typer(help="Why a customer or an audience is what it is.", no_args_is_help=True)


@app.command("customer")
def customer(
    who: Annotated[str, typer.Argument(metavar="CUSTOMER", help="A customer key, or an id as exported.")],
    shop_id: ShopOption = DEFAULT_SHOP,
    day: OptionalDateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Who a customer is, where they stand, every segment inside and left, and why."""
    from renqun.publish.person import explain_person
    from renqun.publish.reader import open_marts

    home = Home.from_environment()
    connection = open_marts(home, home.shop(shop_id).id, optional_day(day))
    try:
        person = explain_person(connection, who)
    finally:
        connection.close()
    if as_json:
        print_json(asdict(person))
        return
    print_facts(
        {
            "customer key": person.customer_key,
            **({"known before as": ", ".join(person.known_as)} if person.known_as else {}),
            "customer ids": ", ".join(person.customer_ids) or None,
            **{name.replace("_", " "): value for name, value in (*person.facts.items(), *person.stages.items())},
            **{f"tag {name.replace('_', ' ')}": score for name, score in person.tags.items()},
        }
    )
    for title, stays in (("Inside", person.inside), ("Left", person.left)):
        print(f"\n{title}: {len(stays)} segments" if stays else f"\n{title}: no segment")
        for stay in stays:
            print(f"  {stay.sentence}")
            if stay.left_on is None and stay.definition:
                print(f"      {stay.definition}")


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
            "purpose": definition.purpose.text,
            "owner": definition.owner,
            "includes": definition.include.words,
            "excludes": "; ".join(rule.words for rule in definition.exclude) or None,
            "last outcome": outcomes[-1].status if outcomes else None,
            "why": outcomes[-1].reason if outcomes else None,
            "latest": latest and f"{latest.manifest.as_of} version {latest.version}",
            "members": latest and f"{latest.manifest.counts.members:,}",
            "added": latest and f"{latest.manifest.counts.added:,}",
            "removed": latest and f"{latest.manifest.counts.removed:,}",
            "use until": latest and latest.manifest.expires_on,
        }
    )
