"""The truth of a simulated shop: it agrees with a recount of the clean files, and every planted kind is there."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from simulated_recount import Recount, recount
from simulated_shop import SimulatedShop, make_shop

from renqun.simulate import Dirt, small_config

END = "2026-06-30"


@pytest.fixture(scope="module")
def counted(clean_shop: SimulatedShop) -> Recount:
    return recount(clean_shop.landing, clean_shop.config.time_zone)


def test_order_totals_equal_a_recount_of_the_files(clean_shop: SimulatedShop, counted: Recount) -> None:
    totals = clean_shop.truth["totals"][END]["after_late"]
    paid = counted.paid()
    deals = [order for order, (_, amount, back) in paid.items() if not (back > 0 and back >= amount)]

    assert totals["orders"] == len(counted.orders)
    assert totals["order_lines"] == sum(map(len, counted.orders.values()))
    assert totals["orders_paid"] == len(paid)
    assert Decimal(totals["paid_amount"]) == sum(amount for _, amount, _ in paid.values())
    assert Decimal(totals["refunded_amount"]) == sum(back for _, _, back in paid.values())
    assert totals["deals"] == len(deals)
    assert Decimal(totals["deal_net_amount"]) == sum(paid[order][1] - paid[order][2] for order in deals)
    # Lines and the unallocated rest are the orders.
    assert Decimal(totals["lines_paid_amount"]) + Decimal(totals["unallocated_amount"]) == Decimal(
        totals["paid_amount"]
    )


def test_days_equal_a_recount_of_the_files(clean_shop: SimulatedShop, counted: Recount) -> None:
    days = clean_shop.truth["totals"][END]["after_late"]["days"]
    visitors: dict[str, set[str]] = defaultdict(set)
    views: dict[str, int] = defaultdict(int)
    for row in counted.events:
        visitors[row["event_at"][:10]].add(row["visitor_id"])
        views[row["event_at"][:10]] += row["event_type"] == "view"
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    buyers: dict[str, set[str]] = defaultdict(set)
    bought_by = counted.buyers(clean_shop.truth["same_person"])
    for order_id, (day, amount, _) in counted.paid().items():
        amounts[day] += amount
        if bought_by[order_id]:
            buyers[day].add(bought_by[order_id])

    for day, truth in days.items():
        assert (truth["visitors"], truth["views"]) == (len(visitors[day]), views[day]), day
        assert (Decimal(truth["paid_amount"]), truth["buyers_paid"]) == (amounts[day], len(buyers[day])), day


def test_sessions_equal_a_recount_of_the_files(clean_shop: SimulatedShop, counted: Recount) -> None:
    totals = clean_shop.truth["totals"][END]["after_late"]

    assert (totals["sessions"], totals["events"]) == (counted.sessions(), len(counted.events))
    assert totals["sessions"] == sum(day["sessions"] for day in totals["days"].values())


def test_cohorts_add_up_to_the_customers_with_a_deal(clean_shop: SimulatedShop) -> None:
    cohorts = clean_shop.truth["totals"][END]["after_late"]["cohorts"]

    for month, cohort in cohorts.items():
        assert cohort["retained_customers"][0] == cohort["cohort_size"] > 0, month
        assert cohort["repurchased_customers"]["30"] <= cohort["repurchased_customers"]["360"] or (
            cohort["observable_customers"]["360"] < cohort["observable_customers"]["30"]
        )
    assert cohorts["2026-06-01"]["observable_customers"]["60"] == 0


def test_truth_is_the_same_when_the_files_are_cut_differently(clean_shop: SimulatedShop, tmp_path: Path) -> None:
    shop = make_shop(tmp_path, replace(small_config(), dirt=Dirt.none(), history_files="monthly"))

    assert len(list((shop.landing / "orders").iterdir())) == 64
    assert shop.truth["totals"] == clean_shop.truth["totals"]
    paid = recount(shop.landing, shop.config.time_zone).paid()
    assert len(paid) == clean_shop.truth["totals"][END]["after_late"]["orders_paid"]


def test_every_day_of_the_history_has_a_file_when_files_are_daily(tmp_path: Path) -> None:
    config = replace(small_config(), dirt=Dirt.none(), history_files="daily")
    shop = make_shop(tmp_path, config)

    assert len(list((shop.landing / "orders").iterdir())) == config.days
    paid = recount(shop.landing, config.time_zone).paid()
    assert len(paid) == shop.truth["totals"][END]["after_late"]["orders_paid"]


def test_faults_change_no_fact(clean_shop: SimulatedShop, tmp_path: Path) -> None:
    dirty = make_shop(tmp_path, small_config())

    assert dirty.truth["totals"][END] == clean_shop.truth["totals"][END]
    assert _ends(dirty.truth) == _ends(clean_shop.truth)


def _ends(truth: dict[str, Any]) -> list[Any]:
    return [
        (plant["kind"], plant.get("after_late", {}).get(END), plant["funnel_attempts"]) for plant in truth["planted"]
    ]


def test_late_files_change_what_they_hold_and_nothing_else(dirty_shop: SimulatedShop) -> None:
    totals = dirty_shop.truth["totals"][END]
    before, after = totals["before_late"], totals["after_late"]
    changed = [day for day in after["days"] if before["days"].get(day) != after["days"][day]]

    assert set(changed) >= {"2026-06-24", "2026-06-25"}
    assert before["orders"] < after["orders"]
    assert before["sessions"] < after["sessions"]
    late = [plant for plant in dirty_shop.truth["planted"] if plant["is_late"]]
    assert {plant["kind"] for plant in late} == {"interest_late_file", "new_customer_late_file"}
    for plant in late:
        assert not any(plant["before_late"][END]["segments"].values())
        assert any(plant["after_late"][END]["segments"].values())


@pytest.mark.parametrize(
    ("kind", "segment", "inside"),
    [
        ("interest_age_2", "interest", False),
        ("interest_age_3", "interest", True),
        ("interest_age_10", "interest", True),
        ("interest_age_11", "interest", False),
        ("interest_bought_same", "interest", False),
        ("interest_bought_other", "interest", True),
        ("interest_before_login", "interest", True),
        ("shared_visitor_one", "interest", False),
        ("new_customer_age_179", "new_customer", True),
        ("new_customer_age_180", "new_customer", False),
        ("new_customer_before_719", "new_customer", False),
        ("new_customer_before_720", "new_customer", True),
        ("repurchase_age_27", "repurchase", False),
        ("repurchase_age_28", "repurchase", True),
        ("repurchase_age_35", "repurchase", True),
        ("repurchase_age_36", "repurchase", False),
    ],
)
def test_planted_customer_is_inside_exactly_when_designed(
    dirty_shop: SimulatedShop, kind: str, segment: str, inside: bool
) -> None:
    assert dirty_shop.plant(kind)["after_late"][END]["segments"][segment] is inside


def test_segments_move_with_the_day(dirty_shop: SimulatedShop) -> None:
    def days(kind: str, segment: str) -> list[str]:
        return [day for day, shown in dirty_shop.plant(kind)["after_late"].items() if shown["segments"][segment]]

    # The cart of age 3 at the end is of age 2 the day before; that of age 11 was of age 10 the day before.
    assert days("interest_age_3", "interest") == [END]
    assert days("interest_age_11", "interest") == ["2026-06-26", "2026-06-27", "2026-06-28", "2026-06-29"]
    # The balance was paid at age 2: inside until the day before.
    assert days("interest_presale", "interest") == ["2026-06-26", "2026-06-27"]


def test_every_kind_of_plant_is_there_and_does_something(dirty_shop: SimulatedShop) -> None:
    plants = dirty_shop.truth["planted"]
    kinds = {plant["kind"] for plant in plants}

    assert len(kinds) == len(plants) > 360
    assert dirty_shop.truth["left_out"] == []
    for prefix in (
        "interest", "new_customer", "repurchase", "rfm", "cohort", "funnel", "refund", "money", "session", "consent",
        "suppressed", "presale", "state_changes", "order_amended", "order_stale", "order_in_two", "order_dirty",
        "order_late_row",
        "aipl", "lifecycle", "churn", "relationship", "tier", "cart", "unpaid", "buyer", "refunder", "price", "quality",
        "trend", "crowd", "item", "category", "same_person", "members_chain", "hidden_nick",
        "phone_of_20", "phone_of_21", "device",
        "event_twice", "events_without_id", "guest", "masked_nick", "zero_price", "line_twice", "lines_without_id",
    ):  # fmt: skip
        assert any(kind.startswith(prefix) for kind in kinds), prefix
    assert all(plant["orders"] or plant["sessions"] or plant["is_member"] for plant in plants)
    assert len({plant["rfm_class"] for plant in plants if plant["rfm_class"]}) == 8


def test_all_classes_of_rfm_are_there(dirty_shop: SimulatedShop) -> None:
    totals = dirty_shop.truth["totals"][END]["after_late"]

    assert len(totals["rfm_classes"]) == 8
    assert sum(totals["rfm_classes"].values()) == totals["rfm"]["customers"]


def test_refunds_are_dated_and_judged(dirty_shop: SimulatedShop) -> None:
    full = dirty_shop.plant("refund_full_later")["orders"][0]
    over = dirty_shop.plant("refund_over")["orders"][0]
    twice = dirty_shop.plant("refund_twice_without_time")["orders"][0]

    assert (full["is_fully_refunded"], full["is_deal"], full["net_amount"]) == (True, False, "0.00")
    assert [refund["refunded_date"] for refund in full["refunds"]] == ["2026-06-18", "2026-06-25", "2026-06-25"]
    assert (over["is_over_refunded"], over["net_amount"]) == (True, "-10.00")
    assert [(refund["refunded_date"], refund["amount"]) for refund in twice["refunds"]] == [
        ("2026-06-21", "20.00"),
        ("2026-06-26", "10.00"),
    ]


def test_allocation_keeps_every_cent(dirty_shop: SimulatedShop) -> None:
    for plant in dirty_shop.truth["planted"]:
        for order in plant["orders"]:
            if order["is_paid"]:
                lines = sum(Decimal(line["paid_amount"]) for line in order["lines"])
                assert lines + Decimal(order["unallocated_amount"]) == Decimal(order["paid_amount"])
    thirds = dirty_shop.plant("money_thirds")["orders"][0]
    assert [line["paid_amount"] for line in thirds["lines"]] == ["33.34", "33.33", "33.33"]


def test_repurchase_cycle_is_what_its_gaps_make_it(dirty_shop: SimulatedShop) -> None:
    """The planted refill: a discrete quarter and three quarters of all gaps are 28 and 35 days."""
    gaps = []
    for plant in dirty_shop.truth["planted"]:
        if plant["kind"].startswith("repurchase"):
            days = sorted(_day(order["paid_date"]) for order in plant["orders"] if order["is_deal"])
            gaps += [later - earlier for earlier, later in pairwise(days)]
    gaps.sort()

    assert len(gaps) == 53
    assert gaps[-(-len(gaps) // 4) - 1] == 28
    assert gaps[-(-len(gaps) * 3 // 4) - 1] == 35


def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal()
