"""Identity as definitions.md says it: one person by whatever links, however the builds were cut."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from identity_world import CONSENT, DAYS, accept, key, phone_key
from raw_shop import RawShop, Warehouse

NO_TESTS = ("--exclude-resource-type", "test", "unit_test")
MODELS = ("+dim_customers", "+dim_visitors", "+fct_events", "+fct_segment_memberships",
          "+agg_segment_sizes__by_day", "+customer_key_aliases", "+identity_quarantine")  # fmt: skip
PEOPLE = ("marts.fct_orders", "marts.fct_events", "marts.dim_customers", "marts.dim_visitors",
          "marts.identity_quarantine", "marts.fct_customer_categories", "intermediate.int_visitor_days")  # fmt: skip
OF_PEOPLE = (*(f"+{name.split('.')[1]}" for name in PEOPLE), "+customer_key_aliases", "+int_identifiers")
"""What the builds of everything anew are compared by."""
_1, _4, _5, _6 = DAYS
CHAIN_A, CHAIN_C = key("member_id", "chain_a"), key("member_id", "chain_c")
WAITER, CROWD = key("member_id", "waiter"), key("member_id", "crowd00")
WISH_A, WISH_Z = key("member_id", "wish_a"), key("member_id", "wish_z")
BACK_A, BACK_Z = key("member_id", "back_a"), key("member_id", "back_z")


class World:
    """The shop built day by day, all at once, anew, and without a file that was withdrawn."""

    def __init__(self, folder: Path) -> None:
        shop = RawShop(folder)
        daily, once = (Warehouse(shop, folder / name / "warehouse.duckdb") for name in ("daily", "once"))
        for warehouse in (daily, once):
            warehouse.path.parent.mkdir()
        self.orders: dict[date, dict[str, str | None]] = {}
        self.visitors: dict[date, dict[str, str | None]] = {}
        for day in DAYS:
            accept(shop, day)
            if day == _5:  # killed at its end, before it is recorded
                daily.build(day, *NO_TESTS, finish=False, select=MODELS)
            daily.build(day, *NO_TESTS, select=MODELS)
            self.orders[day] = dict(daily.rows("select order_id, customer_key from marts.fct_orders"))
            self.visitors[day] = dict(daily.rows("select visitor_id, customer_key from marts.dim_visitors"))
        self.aliases = _aliases(daily)
        self.spells = daily.rows(
            "select customer_key, entered_on, exited_on from marts.fct_segment_memberships"
            " where segment_id in ('interest', 'new_customer')"
        )
        self.spells_of_interest = daily.rows(
            "select customer_key, entered_on, exited_on from marts.fct_segment_memberships"
            " where segment_id = 'interest'"
        )
        self.sizes = daily.rows(
            "select as_of_date, customers, entered, exited from marts.agg_segment_sizes__by_day"
            " where segment_id = 'interest' order by 1"
        )
        self.customers = {
            row[0]: row[1:]
            for row in daily.rows("select customer_key, customer_ids, tier, is_fan, first_touch_source,"
                                  " first_event_date from marts.dim_customers")
        }  # fmt: skip
        self.quarantine = daily.rows("select * exclude (shop_id) from marts.identity_quarantine")
        self.by_day = _people(daily)
        once.build(_6, "--exclude-resource-type", "unit_test", "--indirect-selection", "cautious", select=MODELS)
        self.at_once = _people(once)
        daily.build(_6, "--full-refresh", *NO_TESTS, select=OF_PEOPLE)
        self.anew, self.aliases_anew = _people(daily), _aliases(daily)
        shop.batches = [batch for batch in shop.batches if batch["source"] != CONSENT.source]
        for file in shop.raw.glob("consent/date=2024*/*.parquet"):
            file.unlink()
        daily.build(_6, "--full-refresh", *NO_TESTS, select=OF_PEOPLE)
        self.withdrawn = dict(daily.rows("select order_id, customer_key from marts.fct_orders"))
        self.aliases_withdrawn = _aliases(daily)


def _aliases(warehouse: Warehouse) -> set[tuple[Any, ...]]:
    return set(warehouse.rows("select from_key, to_key, change, changed_on from marts.customer_key_aliases"))


def _people(warehouse: Warehouse) -> dict[str, Counter[str]]:
    relations = {name: f"select * from {name}" for name in PEOPLE}
    relations["keys"] = "select identifier_key, customer_key from vault.int_identifier_customers"
    relations["first seen"] = "select identifier_key, first_raw_date from vault.int_identifiers"
    return {name: Counter(map(repr, warehouse.rows(query))) for name, query in relations.items()}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Everything is built once; the tests only look."""
    return World(tmp_path_factory.mktemp("identity"))


@pytest.mark.parametrize("what", [*PEOPLE, "keys", "first seen"])
def test_day_by_day_equals_all_at_once_and_a_full_refresh(world: World, what: str) -> None:
    assert world.by_day[what]
    assert world.by_day[what] == world.at_once[what]
    assert world.anew[what] == world.at_once[what]


def test_a_masked_nick_and_masked_contacts_are_nobody(world: World) -> None:
    assert world.orders[_6]["masked"] is None


def test_one_phone_makes_two_members_one_person(world: World) -> None:
    # Both were first seen on the 1st and both are members: the smaller id names the person.
    assert world.orders[_1]["twin-1"] == world.orders[_1]["twin-2"] == key("member_id", "twin1")
    assert world.customers[key("member_id", "twin1")][0] == ["twin1", "twin2"]


def test_a_chain_is_one_person_once_its_last_link_is_there(world: World) -> None:
    assert (world.orders[_1]["chain-a"], world.orders[_1]["chain-c"]) == (CHAIN_A, CHAIN_C)
    assert (world.orders[_4]["chain-a"], world.orders[_4]["chain-c"]) == (CHAIN_A, CHAIN_A)


def test_twenty_stronger_identifiers_link_and_the_21st_splits(world: World) -> None:
    assert {world.orders[_6][f"twenty-{number}"] for number in range(20)} == {key("member_id", "twenty00")}
    assert {world.orders[_4][f"crowd-{number}"] for number in range(20)} == {CROWD}
    assert world.orders[_4]["crowd-phone"] == CROWD
    after = [world.orders[_5][f"crowd-{number}"] for number in range(21)]
    assert after == [key("member_id", f"crowd{number:02}") for number in range(21)]
    assert world.orders[_5]["crowd-phone"] is None, "it has no other identifier"
    assert world.quarantine == [(phone_key(5), "phone_hash", 21, _5)]


def test_what_is_dated_later_waits(world: World) -> None:
    assert world.orders[_4]["waiting-now"] == phone_key(3)
    assert world.orders[_5]["waiting-now"] == world.orders[_5]["waiting-later"] == WAITER


def test_a_visitor_belongs_to_the_only_id_it_was_seen_with(world: World) -> None:
    assert world.visitors[_1]["v1"] is None
    assert world.visitors[_4]["v1"] == key("member_id", "logged_in")
    assert world.visitors[_6]["v2"] is None
    assert world.visitors[_6]["v3"] is None, "two ids, even of one person"


def test_what_a_visitor_did_before_the_first_login_is_the_customers(world: World) -> None:
    assert world.customers[key("member_id", "logged_in")] == (["logged_in"], None, False, "ads", _1)


def test_a_member_known_by_a_phone_only_is_a_customer_without_an_id(world: World) -> None:
    assert world.customers[phone_key(7)] == ([], None, True, None, None)
    assert world.customers[WISH_A][:2] == (["wish_a", "wish_z"], "gold")


def test_aliases_tell_every_change_of_key(world: World) -> None:
    crowd = {(CROWD, key("member_id", f"crowd{number:02}"), "split", _5) for number in range(1, 20)}
    assert world.aliases == crowd | {
        (CHAIN_C, CHAIN_A, "merge", _4),
        (phone_key(3), WAITER, "rename", _5),
        (WISH_Z, WISH_A, "merge", _6),
        (BACK_Z, BACK_A, "merge", _6),
    }
    assert world.aliases_anew == world.aliases, "a full refresh keeps them"


def test_spells_go_on_under_a_changed_key(world: World) -> None:
    spells = Counter(world.spells)
    # The phone's new_customer of the 1st is the waiting member's, since the 1st.
    assert spells[WAITER, _1, None] == 1
    assert phone_key(3) not in {spell[0] for spell in world.spells}
    # wish_z was in since the 4th, wish_a since the 5th; one person, in since the 4th. The other spell ends.
    assert spells[WISH_A, _4, None] == 1
    assert {spell for spell in world.spells if spell[0] in (WISH_A, WISH_Z)} == {(WISH_A, _4, None), (WISH_Z, _5, _6)}


def test_an_ended_spell_of_the_key_that_stays_does_not_meet_the_spell_that_goes_on(world: World) -> None:
    interest = {spell for spell in world.spells_of_interest if spell[0] in (BACK_A, BACK_Z)}
    assert interest == {(BACK_A, _4, None), (BACK_Z, _4, _5)}
    assert Counter((key, entered) for key, entered, _ in world.spells_of_interest).most_common(1)[0][1] == 1


def test_sizes_add_up_where_two_became_one(world: World) -> None:
    assert world.sizes == [(_1, 0, 0, 0), (_4, 3, 3, 0), (_5, 3, 1, 1), (_6, 2, 0, 1)]


def test_sizes_of_every_built_date_can_be_counted_from_spells(world: World) -> None:
    for day, customers, *_ in world.sizes:
        inside = [key for key, entered, exited in world.spells_of_interest
                  if entered <= day and (exited is None or exited > day)]  # fmt: skip
        assert len(inside) == customers, day


def test_a_withdrawn_link_never_was(world: World) -> None:
    assert (world.withdrawn["chain-a"], world.withdrawn["chain-c"]) == (CHAIN_A, CHAIN_C)
    assert world.aliases_withdrawn - world.aliases == {(CHAIN_A, CHAIN_C, "split", _6)}
