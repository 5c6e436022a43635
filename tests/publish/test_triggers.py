"""Trigger lists: a fact is due at a certain moment, goes out once for ever, and says how late it is."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
from pydantic import ValidationError
from shop_of_marts import DAY, TestShop, audience, day, keys_in, pass_gate

from renqun.errors import TechnicalError
from renqun.publish import files
from renqun.publish.definitions import Audience
from renqun.publish.members import Marts
from renqun.publish.promotion import promote
from renqun.publish.selection import select_members
from renqun.publish.trigger_facts import FACTS, facts_of
from renqun.publish.trigger_lists import data_as_of, due_facts
from renqun.publish.triggers import Trigger
from renqun.publish.verify import verify
from renqun.publish.withdrawal import release, withdraw
from renqun.publish.writing import write_files

UNPAID = {
    "fact": "unpaid_order",
    "delay": {"hours": 1},
    "window": {"from": "09:00", "to": "21:00"},
    "give_up_hours": 48,
    "channel": "sms",
    "offer": "unpaid_reminder",
}


def trigger(**changes: object) -> Trigger:
    return Trigger.model_validate(UNPAID | changes)


def unpaid_audience(**changes: object) -> Audience:
    return audience("champions", **({"trigger": UNPAID} | changes))


# --- the block ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"fact": "sunshine"}, "Input should be"),
        ({"delay": {}}, "give hours, or days and at"),
        ({"delay": {"hours": 1, "days": 1, "at": "10:00"}}, "give hours, or days and at"),
        ({"delay": {"days": 3}}, "days need a time of day"),
        ({"delay": {"hours": 1, "at": "10:00"}}, "hours have none"),
        ({"delay": {"days": 3, "at": 600}}, "should be a valid string"),  # YAML's 10:00 without quotes
        ({"delay": {"days": 3, "at": "24:00"}}, "should match pattern"),
        ({"delay": {"days": 3, "at": "10:00', now()); --"}}, "should match pattern"),
        ({"window": {"from": "21:00", "to": "09:00"}}, "closes before it opens"),
        ({"window": {"from": "09:00"}}, "Field required"),
        ({"lead_hours": 12}, "greater than or equal to 24"),
        ({"give_up_hours": 0}, "greater than or equal to 1"),
        ({"channel": "none"}, "goes by one of crm, email, sms"),
        ({"channel": "ads"}, "goes by one of crm, email, sms"),
        ({"offer": "../../etc"}, "should match pattern"),
        ({"segments": ["interest"]}, "segments belongs to the fact entered_segment"),
        ({"fact": "entered_segment"}, "segments belongs to the fact entered_segment"),
        ({"fact": "entered_segment", "segments": ["a", "a"]}, "a segment is given twice"),
        ({"fact": "entered_segment", "segments": ["a' or '1"]}, "should match pattern"),
        ({"fact": "item_launch"}, "min_share belongs to the fact item_launch"),
        ({"now": True}, "Extra inputs"),
    ],
)
def test_a_block_with_anything_impossible_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        trigger(**change)


def test_a_rest_without_messages_is_refused() -> None:
    with pytest.raises(ValidationError, match="reentry: the audience has no trigger"):
        audience(reentry={"after_days": 7})


def test_a_list_is_the_only_way_in_which_its_audience_writes_to_people() -> None:
    with pytest.raises(ValidationError, match="sms would write to all members beside it"):
        unpaid_audience(destinations=["meta", "sms"])
    with pytest.raises(ValidationError, match="an exclusion list addresses nobody"):
        unpaid_audience(purpose={"kind": "exclusion", "text": "-"})
    assert unpaid_audience(destinations=["meta"], frequency_cap={"times": 1, "days": 7}).frequency_cap


def test_the_hash_of_a_definition_follows_its_block() -> None:
    assert unpaid_audience().definition_hash != audience("champions").definition_hash
    assert unpaid_audience().definition_hash != unpaid_audience(trigger=UNPAID | {"offer": "other"}).definition_hash


# --- when a fact is due -------------------------------------------------------------------------------------


def due_of(block: Trigger, facts: dict[str, str], *, zone: str = "Asia/Shanghai", as_of: date = DAY) -> dict[str, str]:
    """When the orders of these people (placed at UTC) are due, in UTC; who is not in the list is not due."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'; attach ':memory:' as published")
        connection.execute(
            "create table published.main.fct_unpaid_orders"
            " (as_of_date date, customer_key varchar, order_id varchar, ordered_at timestamp)"
        )
        for customer, at in facts.items():
            connection.execute(
                "insert into published.main.fct_unpaid_orders values (?, ?, ?, ?)",
                [as_of, customer, f"o-{customer}", at],
            )
        members = connection.sql("select distinct customer_key from published.main.fct_unpaid_orders")
        found = due_facts(
            Marts(connection, as_of), "default", unpaid_audience(), block, members, ZoneInfo(zone)
        ).fetchall()
    names = ("customer_key", "dedupe_key", "fact", "fact_key", "channel", "offer", "is_late", "fact_at", "due_at")
    rows = [dict(zip(names, row, strict=True)) for row in found]
    end = data_as_of(as_of, ZoneInfo(zone)).replace(tzinfo=None)
    for row in rows:
        assert row["is_late"] == (row["due_at"] < end)
    assert [row["due_at"] for row in rows] == sorted(row["due_at"] for row in rows)
    return {str(row["customer_key"]): f"{row['due_at']:%m-%d %H:%M}" for row in rows}


def test_an_hour_later_within_the_hours_of_the_shop() -> None:
    # Shanghai is eight hours ahead of UTC: 09:00 there is 01:00, 21:00 is 13:00.
    found = due_of(
        trigger(),
        {
            "noon": "2026-03-01 04:00",  # 12:00 + 1 h = 13:00
            "opening": "2026-03-01 00:00",  # 08:00 + 1 h = 09:00: the window's first minute is inside
            "early": "2026-02-28 23:00",  # 07:00 + 1 h = 08:00: waits until 09:00
            "closing": "2026-03-01 12:00",  # 20:00 + 1 h = 21:00: the window's end is outside
            "last_minute": "2026-03-01 11:59",  # 20:59
            "at_night": "2026-03-01 15:30",  # 23:30 + 1 h = 00:30 of the 2nd: waits until 09:00 of that day
        },
    )
    assert found == {
        "noon": "03-01 05:00",
        "opening": "03-01 01:00",
        "early": "03-01 01:00",
        "closing": "03-02 01:00",
        "last_minute": "03-01 12:59",
        "at_night": "03-02 01:00",
    }


def test_what_is_too_old_is_given_up_and_what_the_next_list_can_bring_waits() -> None:
    # The data ends on 1 March 16:00 UTC; given up 2 hours earlier, looking 24 hours ahead.
    block = trigger(give_up_hours=2, lead_hours=24, window={"from": "00:00", "to": "23:59"})
    found = due_of(
        block,
        {
            "too_old": "2026-03-01 12:59",  # due 13:59, a minute before 14:00
            "just_in_time": "2026-03-01 13:00",
            "ahead": "2026-03-02 14:58",  # due 15:58 on the 2nd
            "too_early": "2026-03-02 15:00",  # due 16:00: the moment that the next list begins with
        },
    )
    # 15:58 UTC is 23:58, inside the window that ends at 23:59.
    assert found == {"just_in_time": "03-01 14:00", "ahead": "03-02 15:58"}


def test_days_are_those_of_the_shops_calendar() -> None:
    block = trigger(delay={"days": 3, "at": "10:00"}, lead_hours=24 * 14)
    # 28 Feb 23:30 UTC is 1 March in Shanghai: three days later is the 4th, 10:00 there is 02:00 UTC.
    assert due_of(block, {"a": "2026-02-28 23:30", "b": "2026-02-28 15:59"}) == {
        "a": "03-04 02:00",
        "b": "03-03 02:00",
    }


@pytest.mark.parametrize(
    ("at", "placed", "due"),
    [
        # Berlin, 29 March 2026: 02:00 becomes 03:00. 02:30 is left out, and is 03:30 summer time, 01:30 UTC.
        ("02:30", "2026-03-28 12:00", "03-29 01:30"),
        ("03:30", "2026-03-28 12:00", "03-29 01:30"),
        # A day later by the calendar is 23 hours later here: 10:00 summer time is 08:00 UTC.
        ("10:00", "2026-03-28 09:00", "03-29 08:00"),
        # 25 October 2026: 02:30 comes twice. The second is winter time, 01:30 UTC.
        ("02:30", "2026-10-24 12:00", "10-25 01:30"),
    ],
)
def test_clock_changes_have_one_rule(at: str, placed: str, due: str) -> None:
    block = trigger(delay={"days": 1, "at": at}, window={"from": "00:00", "to": "23:59"})
    as_of = date.fromisoformat(placed[:10])
    assert due_of(block, {"a": placed}, zone="Europe/Berlin", as_of=as_of) == {"a": due}


def test_an_hour_is_an_hour_when_the_clocks_change() -> None:
    block = trigger(window={"from": "00:00", "to": "23:59"})
    # 01:30 winter time + 1 h is 03:30 summer time: one hour later all the same.
    found = due_of(block, {"a": "2026-03-29 00:30"}, zone="Europe/Berlin", as_of=date(2026, 3, 29))
    assert found == {"a": "03-29 01:30"}


def test_the_data_ends_with_the_business_date_even_on_a_day_of_23_hours() -> None:
    assert data_as_of(date(2026, 3, 29), ZoneInfo("Europe/Berlin")) == datetime.fromisoformat("2026-03-29T22:00+00:00")
    assert data_as_of(date(2026, 3, 28), ZoneInfo("Europe/Berlin")) == datetime.fromisoformat("2026-03-28T23:00+00:00")


# --- the catalogue ------------------------------------------------------------------------------------------

FACT_TABLES = """
create table published.main.fct_unpaid_orders as from (values
    (date '2026-03-01', 'c1', 'o1', timestamp '2026-03-01 01:00'),
    (date '2026-03-01', 'c1', 'o1', timestamp '2026-03-01 01:00')
) as t (as_of_date, customer_key, order_id, ordered_at);
create table published.main.fct_abandoned_carts as from (values
    (date '2026-03-01', 'c1', 'i1', timestamp '2026-02-28 17:00'),
    (date '2026-03-01', null, 'i1', timestamp '2026-03-01 01:00')
) as t (as_of_date, customer_key, item_id, carted_at);
create table published.main.fct_orders as from (values
    ('c1', 'o1', true, true, timestamp '2026-02-20 01:00', timestamp '2026-02-24 01:00'),
    ('c1', 'o2', true, true, timestamp '2026-02-10 01:00', null),
    ('c2', 'o3', false, true, timestamp '2026-02-11 01:00', timestamp '2026-02-12 01:00'),
    ('c3', 'o4', false, false, null, null)
) as t (customer_key, order_id, is_deal, is_paid, paid_at, signed_at);
create table published.main.fct_segment_memberships as from (values
    ('interest', 'c1', date '2026-02-27', null), ('interest', 'c2', date '2026-02-01', date '2026-02-20'),
    ('interest', 'c2', date '2026-02-26', date '2026-03-02'), ('other', 'c3', date '2026-02-27', null),
    ('interest', 'c4', date '2026-03-02', null)
) as t (segment_id, customer_key, entered_on, exited_on);
create table published.main.fct_item_repurchase_due as from (values
    (date '2026-03-01', 'c1', 'i1', date '2026-02-01', date '2026-03-01')
) as t (as_of_date, customer_key, item_id, last_paid_date, due_from_date);
create table published.main.fct_upcoming_birthdays as from (values
    (date '2026-03-01', 'c1', date '2026-03-05')
) as t (as_of_date, customer_key, celebrated_date);
create table published.main.agg_item_launches__by_day as from (values
    ('i1', 0, date '2026-02-27'), ('i1', 1, date '2026-02-27'), ('i2', 0, date '2026-02-28')
) as t (item_id, day_number, launch_date);
create table published.main.dim_items as from (values ('i1', 'k1'), ('i2', null), ('i3', 'k1'))
as t (item_id, category_id);
create table published.main.fct_customer_categories as from (values
    (date '2026-03-01', 'c1', 'k1', 0.25), (date '2026-03-01', 'c2', 'k1', 0.2499), (date '2026-03-01', 'c3', 'k2', 1)
) as t (as_of_date, customer_key, category_id, share);
"""

EXPECTED_FACTS = {
    # An order has a row an item, and is one fact.
    "unpaid_order": {("c1", "order:o1", "2026-03-01 01:00:00")},
    # 28 February 17:00 UTC is 1 March in Shanghai; a visitor who is no customer cannot be written to.
    "abandoned_cart": {("c1", "item:i1@2026-03-01", "2026-02-28 17:00:00")},
    # o2 is on its way, o3 was sent back.
    "signed_order": {("c1", "order:o1", "2026-02-24 01:00:00")},
    # The first of two; a refund does not make somebody new again.
    "first_paid": {("c1", "first", "2026-02-10 01:00:00"), ("c2", "first", "2026-02-11 01:00:00")},
    # Who has left, is in another segment or comes tomorrow is not meant. Midnight in Shanghai is 16:00 UTC.
    "entered_segment": {
        ("c1", "segment:interest@2026-02-27", "2026-02-26 16:00:00"),
        ("c2", "segment:interest@2026-02-26", "2026-02-25 16:00:00"),
    },
    "repurchase_due": {("c1", "item:i1@2026-02-01", "2026-02-28 16:00:00")},
    "birthday": {("c1", "birthday@2026-03-05", "2026-03-04 16:00:00")},
    # A share of exactly a quarter counts; an item without a category draws nobody.
    "item_launch": {("c1", "item:i1", "2026-02-26 16:00:00")},
}
OPTIONS = {"entered_segment": {"segments": ["interest"]}, "item_launch": {"min_share": "0.25"}}


@pytest.mark.parametrize("name", sorted(FACTS))
def test_every_fact_of_the_catalogue_is_what_the_marts_tell(name: str) -> None:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'; attach ':memory:' as published")
        connection.execute(FACT_TABLES)
        block = trigger(fact=name, **OPTIONS.get(name, {}))
        found = facts_of(Marts(connection, day(0)), block, "Asia/Shanghai").fetchall()
    assert sorted((key, fact, str(at)) for key, fact, at in found) == sorted(EXPECTED_FACTS[name])


# --- once for ever ------------------------------------------------------------------------------------------


class ListShop(TestShop):
    """The shop with unpaid orders; who has one is a champion, too."""

    def set_orders(self, as_of: date, *orders: tuple[str, str, str], aliases: tuple[tuple[str, str], ...] = ()) -> None:
        """The unpaid orders as of a date: customer, order, when placed (UTC)."""
        self.warehouse.spells = []
        people = sorted({customer for customer, _, _ in orders} | {"idle"})
        self.warehouse.enter("champions", people, day(-5))
        self.warehouse.agree(people, "sms")
        self.warehouse.aliases = list(aliases)
        rows = ", ".join(f"(date '{as_of}', '{who}', '{what}', timestamp '{at}')" for who, what, at in orders)
        empty = "" if rows else " where false"
        rows = rows or "(null::date, '', '', null::timestamp)"
        self.warehouse.further = [
            f"create table marts.fct_unpaid_orders as select 'default' as shop_id, * from (values {rows})"
            f" as t (as_of_date, customer_key, order_id, ordered_at){empty}",
        ]

    def list_of(self, as_of: date, *orders: tuple[str, str, str], **options: object) -> dict[str, str]:
        """Publish a day; customer → fact of the list that came of it."""
        aliases = options.pop("aliases", ())
        self.set_orders(as_of, *orders, aliases=aliases)  # type: ignore[arg-type]
        definition = options.pop("definition", None) or unpaid_audience()
        report = self.publish_day(as_of, [definition])  # type: ignore[list-item]
        self.newest = self.version_of(report)
        assert verify(self.newest).passed, verify(self.newest).failures
        return listed(self.newest)


def listed(version: Path) -> dict[str, str]:
    return listed_in(version / "triggers.parquet")


def listed_in(file: Path) -> dict[str, str]:
    with files.workbench() as connection:
        rows = connection.execute("select customer_key, fact_key from read_parquet(?)", [str(file)]).fetchall()
    return {str(customer): str(fact) for customer, fact in rows}


@pytest.fixture
def lists(tmp_path: Path) -> ListShop:
    shop = ListShop.at(tmp_path / "home")
    assert isinstance(shop, ListShop)
    return shop


A1 = ("a", "o1", "2026-03-01 02:00")
B2 = ("b", "o2", "2026-03-01 03:00")
C3 = ("c", "o3", "2026-03-02 03:00")


def test_a_fact_that_stays_true_is_listed_once(lists: ListShop) -> None:
    assert lists.list_of(day(0), A1, B2) == {"a": "order:o1", "b": "order:o2"}
    # The day after both orders still wait for their payment, and there is a new one.
    assert lists.list_of(day(1), A1, B2, C3) == {"c": "order:o3"}
    assert lists.list_of(day(2), C3) == {}


def test_an_identical_rerun_creates_nothing(lists: ListShop) -> None:
    lists.list_of(day(0), A1)
    before = lists.newest
    assert lists.publish_day(day(0), [unpaid_audience()]).new_versions == ()
    assert lists.list_of(day(0), A1) == {"a": "order:o1"}
    assert lists.newest == before


def test_a_late_file_adds_its_facts_and_repeats_none(lists: ListShop) -> None:
    lists.list_of(day(0), A1)
    # The same date again with an order that came late: the members are others, too.
    assert lists.list_of(day(0), A1, B2) == {"b": "order:o2"}
    assert lists.list_of(day(1), A1, B2) == {}


def test_a_late_fact_of_somebody_who_is_a_member_already_makes_a_version(lists: ListShop) -> None:
    lists.list_of(day(0), A1)
    first = lists.newest
    assert lists.list_of(day(0), A1, ("idle", "o9", "2026-03-01 02:00")) == {"idle": "order:o9"}
    assert lists.newest != first


def test_what_was_withdrawn_may_have_been_sent(lists: ListShop) -> None:
    lists.list_of(day(0), A1)
    withdraw(lists.home, "default", "champions", withdrawn_by="li", reason="wrong offer")
    assert lists.list_of(day(1), A1, C3) == {"c": "order:o3"}


def test_a_withdrawn_list_is_recalled_message_by_message(lists: ListShop) -> None:
    lists.list_of(day(0), A1)
    lists.list_of(day(1), A1, B2, C3)
    second = lists.newest
    record = withdraw(lists.home, "default", "champions", withdrawn_by="li", reason="wrong offer")
    place = lists.audiences / "champions" / "withdrawn" / second.name
    assert record.recalled_messages == 2
    # The very messages of that list, by the keys that their receiver knows; nothing of the list before.
    assert (place / "triggers_recall.csv").read_bytes() == (second / "triggers.csv").read_bytes()
    assert listed_in(place / "triggers_recall.parquet") == {"b": "order:o2", "c": "order:o3"}


def test_a_withdrawn_list_that_is_released_is_the_same_list(lists: ListShop) -> None:
    lists.list_of(day(0), A1)
    first = lists.newest
    withdraw(lists.home, "default", "champions", withdrawn_by="li", reason="a mistake")
    assert lists.publish_day(day(0), [unpaid_audience()]).held_back
    release(lists.home, "default", "champions", day(0), released_by="li", reason="it was right")
    assert lists.list_of(day(0), A1) == {"a": "order:o1"}
    assert lists.newest == first


def test_a_held_back_list_was_not_sent(lists: ListShop) -> None:
    lists.set_orders(day(0), A1)
    lists.publish_marts(day(0))
    assert lists.publish_audiences(day(0), [unpaid_audience()], failing=["champions"]).held_back
    assert lists.list_of(day(1), A1) == {"a": "order:o1"}


def test_a_past_date_built_on_purpose_repeats_nothing_that_went_out_later(lists: ListShop) -> None:
    lists.list_of(day(1), B2)
    assert lists.list_of(day(0), A1, B2) == {"a": "order:o1"}
    assert lists.list_of(day(2), A1, B2) == {}


def test_an_order_that_changes_hands_was_told_of(lists: ListShop) -> None:
    lists.list_of(day(0), A1)
    assert lists.list_of(day(1), ("somebody_else", "o1", "2026-03-01 02:00")) == {}


CART = UNPAID | {"fact": "abandoned_cart"}


def with_cart(
    shop: ListShop, as_of: date, customer: str, *, aliases: tuple[tuple[str, str], ...] = ()
) -> dict[str, str]:
    """Publish a day on which somebody has left one and the same item in the cart; the fact is a person's."""
    shop.set_orders(as_of, aliases=aliases)
    shop.warehouse.enter("champions", [customer], day(-5))
    shop.warehouse.agree([customer], "sms")
    shop.warehouse.further.append(
        f"create table marts.fct_abandoned_carts as select 'default' as shop_id, date '{as_of}' as as_of_date,"
        f" '{customer}' as customer_key, 'i1' as item_id, timestamp '2026-03-01 02:00' as carted_at"
    )
    report = shop.publish_day(as_of, [unpaid_audience(trigger=CART)])
    return listed(shop.version_of(report))


def test_the_same_fact_of_another_person_is_another_fact(lists: ListShop) -> None:
    assert with_cart(lists, day(0), "a") == {"a": "item:i1@2026-03-01"}
    assert with_cart(lists, day(1), "b") == {"b": "item:i1@2026-03-01"}


@pytest.mark.parametrize(
    "aliases",
    [(("a", "b"),), (("a", "x"), ("x", "b")), (("b", "a"),), (("a", "b"), ("b", "a"))],
    ids=["renamed", "renamed twice", "renamed back", "to and fro"],
)
def test_a_person_whose_key_has_changed_is_the_same_person(
    lists: ListShop, aliases: tuple[tuple[str, str], ...]
) -> None:
    assert with_cart(lists, day(0), "a") == {"a": "item:i1@2026-03-01"}
    assert with_cart(lists, day(1), "b", aliases=aliases) == {}


def test_a_past_date_knows_people_by_the_names_of_today(lists: ListShop) -> None:
    # Published under the new key; the marts of the older date know the old key only.
    assert with_cart(lists, day(1), "b", aliases=(("a", "b"),)) == {"b": "item:i1@2026-03-01"}
    assert with_cart(lists, day(0), "a") == {}


def test_one_message_a_person_the_one_that_is_in_time_first(lists: ListShop) -> None:
    # The data ends on 1 March 16:00 UTC. o1 was due at 03:00: late. o2 was placed at 12:30 (20:30), due at 21:30, waits
    # for 09:00 of the next day: in time.
    late, in_time = ("a", "o1", "2026-03-01 02:00"), ("a", "o2", "2026-03-01 12:30")
    assert lists.list_of(day(0), late, in_time) == {"a": "order:o2"}
    # The other one was not sent, and is still within its 48 hours.
    assert lists.list_of(day(1), late, in_time) == {"a": "order:o1"}


def test_who_had_a_message_rests(lists: ListShop) -> None:
    resting = unpaid_audience(reentry={"after_days": 2})
    of_day = [("a", f"o{number}", f"2026-03-0{number + 1} 02:00") for number in range(4)]
    assert lists.list_of(day(0), of_day[0], definition=resting) == {"a": "order:o0"}
    assert lists.list_of(day(1), of_day[1], definition=resting) == {}
    # Two days after the list of day 0.
    assert lists.list_of(day(2), of_day[2], definition=resting) == {"a": "order:o2"}
    assert lists.list_of(day(3), of_day[3], definition=resting) == {}
    said = manifest_of(lists.newest)["trigger"]
    assert (said["due"], said["waiting"], said["rows"]) == (1, 1, 0)


def test_only_members_are_named(lists: ListShop) -> None:
    out = unpaid_audience(exclude=[{"segment": "interest"}])
    lists.set_orders(day(0), A1, B2)
    lists.warehouse.enter("interest", ["b"], day(0))
    assert listed(lists.version_of(lists.publish_day(day(0), [out]))) == {"a": "order:o1"}


def test_of_two_lists_of_a_day_the_higher_writes_and_the_other_one_has_not_sent(lists: ListShop) -> None:
    lists.set_orders(day(0), A1)
    lists.warehouse.enter("interest", ["a"], day(0))
    both = [unpaid_audience(priority=1), audience("interest", trigger=UNPAID, priority=2)]
    report = lists.publish_day(day(0), both)
    assert listed(lists.version_of(report)) == {}
    assert listed(lists.version_of(report, "interest")) == {"a": "order:o1"}
    assert manifest_of(lists.version_of(report))["trigger"]["held_back"] == {"other_audience": 1}
    # The day after the higher one has told of it, and the lower one has not: sending once is a promise of each list.
    lists.set_orders(day(1), A1)
    lists.warehouse.enter("interest", ["a"], day(0))
    report = lists.publish_day(day(1), both)
    assert listed(lists.version_of(report)) == {"a": "order:o1"}
    assert listed(lists.version_of(report, "interest")) == {}


def test_messages_of_lists_count_for_the_cap_of_every_audience(lists: ListShop) -> None:
    capped = unpaid_audience(frequency_cap={"times": 1, "days": 2})
    assert lists.list_of(day(0), A1, definition=capped) == {"a": "order:o1"}
    again = ("a", "o5", "2026-03-02 02:00")
    assert lists.list_of(day(1), again, definition=capped) == {}
    assert manifest_of(lists.newest)["trigger"]["held_back"] == {"frequency_cap": 1}
    # Not sent, and still within 48 hours: two days after the first message it goes out.
    assert lists.list_of(day(2), again, definition=capped) == {"a": "order:o5"}


def test_who_has_not_agreed_to_the_channel_is_not_named(lists: ListShop) -> None:
    lists.set_orders(day(0), A1, B2)
    lists.warehouse.consents = {("a", "email", "marketing"): True, ("b", "sms", "service"): True}
    version = lists.version_of(lists.publish_day(day(0), [unpaid_audience()]))
    assert listed(version) == {}
    said = manifest_of(version)["trigger"]
    assert (said["due"], said["held_back"], said["rows"]) == (2, {"no_consent": 2}, 0)
    # A CRM writes by e-mail or text message, whichever was agreed to; a service message goes by consent to service.
    by_crm = unpaid_audience(trigger=UNPAID | {"channel": "crm"})
    assert listed(lists.version_of(lists.publish_audiences(day(0), [by_crm]))) == {"a": "order:o1"}
    service = unpaid_audience(purpose={"kind": "service", "text": "-"})
    assert listed(lists.version_of(lists.publish_audiences(day(0), [service]))) == {"b": "order:o2"}


def test_consent_that_comes_later_brings_what_is_still_due(lists: ListShop) -> None:
    lists.set_orders(day(0), A1, B2)
    lists.warehouse.consents.pop(("a", "sms", "marketing"))
    assert listed(lists.version_of(lists.publish_day(day(0), [unpaid_audience()]))) == {"b": "order:o2"}
    assert lists.list_of(day(1), A1, B2) == {"a": "order:o1"}


def test_the_suppressed_and_the_holdout_get_no_message(lists: ListShop) -> None:
    lists.set_orders(day(0), A1, B2)
    lists.warehouse.suppressions = [("a", "open_complaint")]
    assert listed(lists.version_of(lists.publish_day(day(0), [unpaid_audience()]))) == {"b": "order:o2"}
    lists.warehouse.suppressions = []
    many = [(f"c{number}", f"o{number}", "2026-03-02 02:00") for number in range(40)]
    lists.set_orders(day(1), *many)
    folder = lists.version_of(lists.publish_day(day(1), [unpaid_audience(holdout="0.5")]))
    named, held = set(listed(folder)), keys_in(folder / "holdout.parquet")
    assert named
    assert held
    assert not named & held
    assert named | held >= {customer for customer, _, _ in many}


def test_a_list_stands_beside_files_for_advertising(lists: ListShop) -> None:
    many = [(f"c{number:03}", f"o{number}", "2026-03-01 02:00") for number in range(120)]
    lists.warehouse.contacts = {who: (f"+86139{number:08}", None) for number, (who, _, _) in enumerate(many)}
    lists.warehouse.agree([who for who, _, _ in many], "ads")
    both = unpaid_audience(destinations=["canonical", "meta"])
    assert len(lists.list_of(day(0), *many, definition=both)) == 120
    assert manifest_of(lists.newest)["deliveries"]["meta"]["rows"] == 120
    assert lists.publish_day(day(0), [both]).new_versions == ()


def manifest_of(version: Path) -> dict[str, dict[str, object]]:
    return dict(json.loads((version / "manifest.json").read_text(encoding="utf-8")))


def test_the_list_says_how_late_it_is(lists: ListShop) -> None:
    lists.list_of(
        day(0), ("a", "o1", "2026-03-01 02:00"), ("b", "o2", "2026-03-01 12:30"), ("b", "o3", "2026-03-01 02:00")
    )
    said = manifest_of(lists.newest)["trigger"]
    assert said == {
        "fact": "unpaid_order",
        "channel": "sms",
        "offer": "unpaid_reminder",
        "data_as_of": "2026-03-01T16:00:00Z",
        "rows": 2,
        "late": 1,
        # Due 03:00, known at 16:00: 13 hours.
        "longest_lateness_seconds": 13 * 3600,
        "earliest_due_at": "2026-03-01T03:00:00Z",
        "latest_due_at": "2026-03-02T01:00:00Z",
        "due": 3,
        "held_back": {},
        "sent_before": 0,
        "waiting": 0,
        "superseded": 1,
    }
    lines = (lists.newest / "triggers.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "customer_key,dedupe_key,fact,fact_key,channel,offer,is_late,due_at"
    assert lines[1].startswith("a,")
    assert lines[1].endswith(",unpaid_order,order:o1,sms,unpaid_reminder,true,2026-03-01T03:00:00Z")


def test_two_publishers_at_once_send_nothing_twice(lists: ListShop) -> None:
    lists.set_orders(day(1), A1)
    lists.publish_marts(day(1))
    ctx = lists.ctx(day(1))
    select_members(ctx, audiences=[unpaid_audience()])
    pass_gate(ctx, "audience")
    write_files(ctx)
    pass_gate(ctx, "published")
    # Meanwhile somebody publishes the day before on purpose, without touching the pointer.
    lists.set_orders(day(0), A1)
    lists.publish_marts(day(0), is_latest=False)
    lists.publish_audiences(day(0), [unpaid_audience()], move_pointer=False)
    with pytest.raises(TechnicalError, match="published by somebody else meanwhile"):
        promote(ctx)


def test_a_ledger_that_was_tampered_with_stops(lists: ListShop) -> None:
    lists.list_of(day(0), A1)
    file = lists.newest / "triggers.parquet"
    file.chmod(0o600)
    file.write_bytes(file.read_bytes() + b" ")
    lists.set_orders(day(1), A1)
    lists.publish_marts(day(1))
    with pytest.raises(TechnicalError, match="nobody can tell what was sent"):
        select_members(lists.ctx(day(1)), audiences=[unpaid_audience()])


def test_the_same_input_gives_the_same_bytes(lists: ListShop, tmp_path: Path) -> None:
    other = ListShop.at(tmp_path / "other")
    assert isinstance(other, ListShop)
    assert lists.list_of(day(0), A1, B2) == other.list_of(day(0), B2, A1)
    for name in ("triggers.parquet", "triggers.csv", "manifest.json"):
        assert (lists.newest / name).read_bytes() == (other.newest / name).read_bytes()
