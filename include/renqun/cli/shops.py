"""`renqun init` and `renqun shop`: making homes and shops."""

from __future__ import annotations

import os
from datetime import date, datetime
from typing import Annotated, Any

import typer

from renqun.cli.output import JsonOption, print_json, print_table
from renqun.errors import RequestError
from renqun.settings import DEFAULT_SHOP, GROUPS, Home, Shop

app = typer.Typer(help="Make shops and list them.", no_args_is_help=True)


def init(as_json: JsonOption = False) -> None:
    """Make the home: shops.yml with the shop `default`, and its drop folders. Nothing that exists is changed."""
    home = Home.from_environment()
    is_new = not home.shops_file.exists()
    if is_new:
        _write(home, [{"id": DEFAULT_SHOP, "scheduled_since": str(_today(Shop(id=DEFAULT_SHOP)))}])
    for shop in home.shops():
        _make_folders(home, shop)
    if as_json:
        print_json({"shops_file": str(home.shops_file), "is_new": is_new, "shops": [shop.id for shop in home.shops()]})
        return
    print(f"wrote {home.shops_file}" if is_new else f"{home.shops_file} is there already")
    for shop in home.shops():
        print(f"shop {shop.id}: drop exports into {home.paths(shop.id).landing}/<group>/<YYYY-MM-DD>/")


@app.command("add")
def add(
    shop_id: Annotated[str, typer.Argument(metavar="ID", help="Lower case, digits and single underscores.")],
    name: Annotated[str, typer.Option(help="The name that people read.")] = "",
    time_zone: Annotated[str, typer.Option(help="Its time zone, for example Asia/Shanghai.")] = "Asia/Shanghai",
    currency: Annotated[str, typer.Option(help="Its currency, three letters.")] = "CNY",
    expect: Annotated[
        str, typer.Option(help="The groups that must be there before a date is built, by comma.")
    ] = "orders,traffic",
    as_json: JsonOption = False,
) -> None:
    """Add a shop to shops.yml and make its folders. A running scheduler has its DAGs within a minute."""
    home = Home.from_environment()
    entry: dict[str, Any] = {"id": shop_id, "name": name, "time_zone": time_zone, "currency": currency}
    entry["expect"] = [group.strip() for group in expect.split(",") if group.strip()]
    present = [shop.model_dump(mode="json", exclude_defaults=True) for shop in home.shops()]
    if any(shop["id"] == shop_id for shop in present):
        raise RequestError(f"there is a shop {shop_id!r} already", where=str(home.shops_file))
    added = Shop.model_validate(_validated(entry))
    _write(home, [*present, _validated({**entry, "scheduled_since": str(_today(added))})])
    shop = home.shop(shop_id)
    _make_folders(home, shop)
    has_pool = _make_pool(home, shop)
    if as_json:
        print_json(shop.model_dump(mode="json"))
        return
    print(f"added shop {shop.id}; its exports go into {home.paths(shop.id).landing}/<group>/<YYYY-MM-DD>/")
    if has_pool:
        print("made its pool in the metadata of Airflow")


@app.command("list")
def list_shops(as_json: JsonOption = False) -> None:
    """All shops."""
    shops = Home.from_environment().shops()
    if as_json:
        print_json([shop.model_dump(mode="json") for shop in shops])
        return
    rows = [
        (shop.id, shop.name or None, shop.time_zone, shop.currency, ", ".join(shop.expect), f"{shop.deadline:%H:%M}")
        for shop in shops
    ]
    print_table("", ("shop", "name", "time zone", "currency", "expects", "deadline"), rows)


def _today(shop: Shop) -> date:
    """The business date that is going on: the first one whose exports a scheduler can wait for."""
    return datetime.now(shop.zone).date()


def _validated(entry: dict[str, Any]) -> dict[str, Any]:
    from pydantic import ValidationError

    try:
        return Shop.model_validate(entry).model_dump(mode="json", exclude_defaults=True)
    except ValidationError as error:
        problem = error.errors()[0]
        raise RequestError(
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}", remedy="'renqun shop add --help' explains"
        ) from error


def _write(home: Home, entries: list[dict[str, Any]]) -> None:
    import yaml

    from renqun.storage import write_text_atomically

    text = yaml.safe_dump({"shops": entries}, allow_unicode=True, sort_keys=False)
    write_text_atomically(home.shops_file, "# The shops of this home; README, 'Shops', explains every key.\n" + text)


def _make_folders(home: Home, shop: Shop) -> None:
    for group in GROUPS:
        (home.paths(shop.id).landing / group).mkdir(parents=True, exist_ok=True)
    from renqun.upkeep.roles import RoleSettings, apply_roles

    if RoleSettings().analysts_group:
        apply_roles(home, shop.id)


def _make_pool(home: Home, shop: Shop) -> bool:
    """Make the shop's pool where Airflow has its metadata already; else its next start does."""
    elsewhere = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN" in os.environ
    if not elsewhere and not (home.airflow / "airflow.db").exists():
        return False
    from renqun.airflow.environment import airflow_environment, apply

    apply(
        {**airflow_environment(home), **{name: os.environ[name] for name in os.environ if name.startswith("AIRFLOW")}}
    )
    from renqun.airflow.pools import ensure_pools

    ensure_pools([shop])
    return True
