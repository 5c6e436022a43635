"""Persons planted for the segments: at every boundary somebody inside and somebody just outside."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from simulated_recount import read, recount
from simulated_shop import SimulatedShop, make_shop

from renqun.simulate import Dirt, simulation, small_config
from renqun.simulate.books import Books, CustomerPage
from renqun.simulate.facts import Order
from renqun.simulate.order_files import COLUMNS
from renqun.simulate.planting import Planting
from renqun.simulate.plants_stages import plant_lifecycle
from renqun.simulate.stages import Rhythm, rhythm, stages_of
from renqun.simulate.truth import PlantedContradiction

END = date(2026, 6, 30)
SEEDS = Path(__file__).parents[3] / "dbt_project" / "seeds"


def test_every_segment_of_the_catalogue_has_somebody_planted_inside_and_outside(dirty_shop: SimulatedShop) -> None:
    found: dict[bool, set[str]] = defaultdict(set)
    for plant in dirty_shop.truth["planted"]:
        if plant["customer_id"]:
            counted = plant["after_late"][END.isoformat()]["segments"]
            for segment, inside in {**plant["designed"], **counted}.items():
                found[inside].add(segment)
    with (SEEDS / "segments.csv").open(encoding="utf-8", newline="") as stream:
        catalogue = {row["segment_id"] for row in csv.DictReader(stream)}

    assert found[True] == found[False] == catalogue


@pytest.mark.parametrize(
    ("inside", "outside", "segment"),
    [
        ("aipl_view_age_14", "aipl_view_age_15", "aipl_awareness"),
        ("aipl_cart_age_14", "aipl_cart_age_15", "aipl_interest"),
        ("aipl_search_age_14", "aipl_search_age_15", "aipl_interest"),
        ("aipl_views_two_days", "aipl_views_two_days_one_old", "aipl_interest"),
        ("aipl_deal_age_719", "aipl_deal_age_720", "aipl_purchase"),
        ("aipl_two_days_age_364", "aipl_two_days_age_365", "aipl_loyalty"),
        ("lifecycle_at_median", "lifecycle_beyond_median", "lifecycle_active"),
        ("lifecycle_at_p90", "lifecycle_beyond_p90", "lifecycle_cooling"),
        ("lifecycle_at_twice_p90", "lifecycle_beyond_twice_p90", "lifecycle_at_risk"),
        ("churn_overdue", "churn_due", "churn_risk"),
        ("churn_overdue", "churn_overdue_two_days", "churn_risk"),
        ("lifecycle_at_twice_p90", "lifecycle_lost_and_overdue", "churn_risk"),
        ("new_customer_age_179", "new_customer_age_180", "lifecycle_new"),
        ("relationship_buyer_age_179", "relationship_buyer_age_180", "effective_relationship"),
        ("relationship_member_age_180", "relationship_member_age_179", "silent_relationship"),
        ("relationship_refunded_buyer", "relationship_unpaid", "buyers"),
        ("relationship_fan_only", "relationship_member_only", "fans"),
        ("relationship_member_unpaid", "relationship_member_refunded", "members_without_order"),
        ("tier_senior_by_amount", "tier_senior_a_cent_short", "tier_senior"),
        ("tier_vip_by_deals", "tier_vip_a_deal_short", "tier_vip"),
        ("tier_supreme_by_deals", "tier_supreme_a_deal_short", "tier_supreme"),
        ("tier_age_364", "tier_age_365", "tier_senior"),
        ("tier_net", "tier_net_short", "tier_senior"),
        ("tier_moves_up", "tier_moves_stays", "tier_upgrade_due"),
        ("tier_moves_down", "tier_moves_unknown", "tier_downgrade_due"),
        ("tier_senior_almost", "tier_senior_not_almost", "tier_almost_there"),
        ("cart_age_2", "cart_age_3", "cart_abandoners"),
        ("cart_bought_other", "cart_bought_same", "cart_abandoners"),
        ("unpaid_age_6", "unpaid_age_7", "unpaid_order"),
        ("buyer_first_age_6", "buyer_first_age_7", "first_time_buyers"),
        ("buyer_twice_a_day", "buyer_two_days", "one_time_buyers"),
        ("buyer_frequent_age_364", "buyer_frequent_age_365", "frequent_buyers"),
        ("refunder_enough", "refunder_one_short", "frequent_refunders"),
        ("price_two_lines", "price_one_line", "price_sensitive"),
        ("price_two_lines", "price_a_cent_short", "price_sensitive"),
        ("price_half", "price_below_half", "price_sensitive"),
        ("quality_two_lines", "quality_one_line", "quality_seeker"),
        ("quality_half", "quality_below_half", "quality_seeker"),
        ("trend_last_day", "trend_too_late", "trend_follower"),
        ("trend_last_day", "trend_one_line", "trend_follower"),
        ("crowd_food_lovers_quarter", "crowd_food_lovers_below", "crowd_food_lovers"),
        ("crowd_beauty_quarter", "crowd_beauty_two_acts", "crowd_beauty"),
        ("item_half", "item_below", "item_affine"),
        ("item_age_29", "item_age_30", "item_affine"),
        ("category_half", "category_four_acts", "category_affine"),
        ("category_faded_30", "category_faded_29", "category_affine"),
        ("same_person_one", "hidden_nick_alone", "repeat_buyers"),
        ("phone_of_21_01", "phone_of_20_01", "new_customer"),
    ],
)
def test_a_boundary_has_somebody_inside_and_somebody_just_outside(
    dirty_shop: SimulatedShop, inside: str, outside: str, segment: str
) -> None:
    assert dirty_shop.plant(inside)["designed"][segment] is True
    assert dirty_shop.plant(outside)["designed"][segment] is False


def test_the_rhythm_is_that_of_the_files(clean_shop: SimulatedShop) -> None:
    counted = recount(clean_shop.landing, clean_shop.config.time_zone)
    bought_by = counted.buyers(clean_shop.truth["same_person"])
    days: dict[str, set[date]] = defaultdict(set)
    for order_id, (day, amount, back) in counted.paid().items():
        if bought_by[order_id] and not (back > 0 and back >= amount):
            days[bought_by[order_id]].add(date.fromisoformat(day))
    gaps = sorted((later - earlier).days for seen in days.values() for earlier, later in pairwise(sorted(seen)))

    shop = clean_shop.truth["totals"][END.isoformat()]["after_late"]["rhythm"]
    assert shop["gap_count"] == len(gaps) >= 100
    # The smallest gaps that half of all, and nine tenths, do not exceed.
    assert sum(gap <= shop["median"] for gap in gaps) * 2 >= len(gaps) > sum(gap < shop["median"] for gap in gaps) * 2
    assert sum(gap <= shop["p90"] for gap in gaps) * 10 >= len(gaps) * 9 > sum(gap < shop["p90"] for gap in gaps) * 10


def test_the_lifecycle_is_planted_at_the_days_of_the_shops_own_rhythm(dirty_shop: SimulatedShop) -> None:
    shop = dirty_shop.truth["totals"][END.isoformat()]["after_late"]["rhythm"]
    ages = {
        kind: {(END - date.fromisoformat(order["paid_date"])).days for order in dirty_shop.plant(kind)["orders"]}
        for kind in ("lifecycle_at_median", "lifecycle_beyond_p90", "lifecycle_beyond_twice_p90")
    }

    assert ages == {
        "lifecycle_at_median": {shop["median"]},
        "lifecycle_beyond_p90": {shop["p90"] + 1},
        "lifecycle_beyond_twice_p90": {2 * shop["p90"] + 1},
    }


def test_a_lifecycle_planted_by_another_rhythm_is_a_contradiction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def a_day_off(bed: Planting, *_: object) -> None:
        plant_lifecycle(bed, Rhythm(1_000, 29, 87))

    monkeypatch.setattr(simulation, "plant_by_rhythm", a_day_off)
    with pytest.raises(PlantedContradiction, match="lifecycle_"):
        make_shop(tmp_path, small_config())


def test_a_shop_with_few_gaps_goes_by_the_days_of_a_fast_one() -> None:
    books = Books(1_000)
    books.customers["anna"] = CustomerPage(deals=[(day, 100) for day in range(0, 900, 10)])  # 89 gaps of 10 days

    assert rhythm(books) == Rhythm(89, 30, 90)
    # One more than 99 gaps: 89 of 10 days, and 11 of 400 days beyond the 0.9 quantile's 90th place.
    assert rhythm(books, [400] * 11) == Rhythm(100, 10, 400)
    assert rhythm(books, [400] * 10 + [7]) == Rhythm(100, 10, 10)


def test_nobody_without_a_deal_has_a_stage_but_prospect() -> None:
    books = Books(1_000)
    books.customers["bert"] = CustomerPage(paid_days=[990])

    assert stages_of(books, "bert", Rhythm(0, 30, 90), is_new=False).lifecycle == "prospect"
    assert stages_of(books, "nobody", Rhythm(0, 30, 90), is_new=False).is_churn_risk is False


def test_one_persons_ids_are_counted_as_one(dirty_shop: SimulatedShop) -> None:
    planted = [plant["customer_id"] for plant in dirty_shop.truth["planted"] if plant["customer_id"]]
    same_person = dirty_shop.truth["same_person"]

    assert len(same_person) == 1 + 19 + 1 + 2  # one phone, a phone of 20, one device's, a chain of three
    assert all(other in planted and first in planted for other, first in same_person.items())
    views = [dirty_shop.plant(f"phone_of_20_{number:02d}")["after_late"][END.isoformat()] for number in range(1, 21)]
    assert all(view == views[0] for view in views)
    assert views[0]["rfm"] == {"recency_days": 40, "frequency": 20, "monetary": "1000.00"}


def test_a_hidden_nick_is_shown_beside_the_phone(dirty_shop: SimulatedShop) -> None:
    rows = [
        row
        for path in sorted((dirty_shop.landing / "orders").glob("*/orders.csv"))
        for row in _rows(path)
        if row["order_id"].startswith("P-hidden_nick_with_phone_one-2")
    ]

    assert {(row["customer_id"], row["phone"] != "") for row in rows} == {("同**名", True)}


def _rows(path: Path) -> list[dict[str, str]]:
    text = path.read_text(encoding="utf-8", errors="replace")
    return [dict(zip(COLUMNS, row, strict=False)) for row in csv.reader(text.splitlines())]


def test_members_are_shown_with_the_tier_and_the_fan_that_they_were_planted_with(clean_shop: SimulatedShop) -> None:
    newest = sorted((clean_shop.landing / "profiles").glob("*/members.csv"))[-1]
    members = {row["customer_id"]: (row["tier"], row["is_fan"]) for row in read(newest)}

    assert members["planted_tier_moves_down"] == ("金卡会员", "false")
    assert members["planted_tier_moves_untold"] == ("", "false")
    assert members["planted_relationship_fan_only"][1] == "true"
    assert "planted_tier_none" not in members


def test_the_truth_says_what_the_files_cannot_tell(tmp_path: Path) -> None:
    shop = make_shop(tmp_path, replace(small_config(), dirt=Dirt.none(), profiles=False))

    assert set(shop.truth["not_told"]) == {"relationship_member", "tier", "members_chain", "play_birthday"}
    kinds = {plant["kind"] for plant in shop.truth["planted"]}
    assert not [kind for kind in kinds if kind.startswith(("tier_", "relationship_member", "members_chain"))]


def test_the_truth_says_what_the_history_is_too_short_for(tmp_path: Path) -> None:
    config = replace(small_config(), dirt=Dirt.none(), traffic_days=16, start=END - timedelta(days=189))
    shop = make_shop(tmp_path, config)

    kinds = {plant["kind"] for plant in shop.truth["planted"]}
    left_out = set(shop.truth["left_out"])
    assert left_out >= {
        "aipl_deal_age_719", "aipl_two_days_age_365", "tier_age_364", "price_age_364", "quality_age_365",
        "buyer_frequent_age_364", "category_age_364", "item_age_29", "category_faded_30",
    }  # fmt: skip
    assert not left_out & kinds


def test_an_order_is_known_by_its_phone_only_where_that_is_shown() -> None:
    hidden = Order("o1", "种**客", 0, None, 0, [])

    assert (hidden.shown_id, hidden.identity) == ("", "")
