"""Persons planted for the relationship with the shop (fans, members, buyers) and for the tiers of members."""

from __future__ import annotations

from itertools import pairwise

from renqun.simulate.planting import Plant, Planting

EFFECTIVE_DAYS = 180
"""Who came or bought in so many days is effective, who did not is silent."""
TIER_DAYS = 365
TIERS = {
    # tier: (net amount in cents, or so many deals; as the members' export calls it)
    "regular": (0, 0, "普通会员"),
    "senior": (50_000, 3, "银卡会员"),
    "vip": (200_000, 8, "金卡会员"),
    "supreme": (1_000_000, 20, "钻石会员"),
}
ALMOST = 20_000
"""So much less than the next tier's amount, in cents, is almost there."""
_MOVES = {"up": "tier_upgrade_due", "down": "tier_downgrade_due"}


def plant_members(bed: Planting) -> None:
    """All of them; buyers who are no members even where no file tells of members."""
    _buyers(bed)
    if not bed.lists_members("relationship_member"):
        bed.lists_members("tier")
        return
    _relationship(bed)
    _tiers_by_amount(bed)
    _tiers_by_deals(bed)
    _tiers_of_a_year(bed)
    _tier_moves(bed)


def _related(
    bed: Planting, kind: str, note: str, *, is_effective: bool | None, is_member: bool = False, is_fan: bool = False
) -> Plant:
    """A person whose relationship is known; `is_effective` is None for somebody who has none."""
    plant = bed.plant(f"relationship_{kind}", note)
    if is_member:
        bed.enrol(plant, is_fan=is_fan)
    plant.expect("members", inside=is_member)
    plant.expect("fans", inside=is_fan)
    plant.expect("effective_relationship", inside=is_effective is True)
    plant.expect("silent_relationship", inside=is_effective is False)
    return plant


def _buyers(bed: Planting) -> None:
    last, over = EFFECTIVE_DAYS - 1, EFFECTIVE_DAYS
    for age in (last, over):
        plant = _related(bed, f"buyer_age_{age}", f"bought once, {age} days ago", is_effective=age == last)
        bed.buy(plant, age)
        plant.expect("buyers", inside=True)
    plant = _related(bed, "silent_buyer_came", f"bought {over} days ago and came lately", is_effective=True)
    bed.buy(plant, over)
    bed.visit(plant, [(bed.at(12), "view", plant.item, True)])
    plant = _related(bed, "refunded_buyer", "paid, got all of it back: a buyer without a deal", is_effective=False)
    bed.buy(plant, 30)
    bed.refund(plant, 0, 20)
    plant.expect("buyers", inside=True)
    plant = _related(bed, "unpaid", "ordered and never paid: no buyer", is_effective=None)
    bed.order(plant, bed.at(30), None)
    plant.expect("buyers", "members_without_order", inside=False)
    plant = _related(bed, "stranger", "came, but never bought nor joined: no relationship", is_effective=None)
    bed.visit(plant, [(bed.at(6), "view", plant.item, True)])
    plant.expect("buyers", "members_without_order", inside=False)


def _relationship(bed: Planting) -> None:
    last, over = EFFECTIVE_DAYS - 1, EFFECTIVE_DAYS
    for kind, is_fan in (("member", False), ("fan", True)):
        plant = _related(
            bed, f"{kind}_only", f"a {kind} of whom nothing else is known", is_effective=False, is_member=True,
            is_fan=is_fan,
        )  # fmt: skip
        plant.expect("members_without_order", "lifecycle_prospect", inside=True)
        plant.expect("buyers", inside=False)
    plant = _related(bed, "member_came", "a member who came lately", is_effective=True, is_member=True)
    bed.visit(plant, [(bed.at(8), "view", plant.item, True)])
    plant.expect("members_without_order", inside=True)
    plant = _related(bed, "member_unpaid", "a member who never paid an order", is_effective=False, is_member=True)
    bed.order(plant, bed.at(30), None)
    plant.expect("members_without_order", inside=True)
    for age in (last, over):
        plant = _related(
            bed, f"member_age_{age}", f"a member who bought {age} days ago", is_effective=age == last, is_member=True
        )
        bed.buy(plant, age)
        plant.expect("members_without_order", inside=False)
        plant.expect("buyers", inside=True)
    plant = _related(bed, "member_refunded", "a member who gave all back", is_effective=False, is_member=True)
    bed.buy(plant, 30)
    bed.refund(plant, 0, 20)
    plant.expect("members_without_order", inside=False)


def _tiered(bed: Planting, kind: str, note: str, tier: str | None, *amounts: int, age: int = 45) -> Plant:
    """A member with a deal of each amount, all on one day; `tier` is what they earn."""
    plant = bed.plant(f"tier_{kind}", note)
    bed.enrol(plant)
    for number, amount in enumerate(amounts, start=1):
        bed.buy(plant, age, lines=[bed.line(bed.item(f"tier_{kind}_{number}", amount))])
    plant.expect_one([f"tier_{name}" for name in TIERS], f"tier_{tier}")
    return plant


def _tiers_by_amount(bed: Planting) -> None:
    for below, tier in pairwise(TIERS):
        amount = TIERS[tier][0]
        _tiered(bed, f"{tier}_by_amount", "one deal of the amount that the tier asks for", tier, amount)
        _tiered(bed, f"{tier}_a_cent_short", "a deal of a cent less", below, amount - 1)
        plant = _tiered(bed, f"{tier}_almost", "as much short of the tier as is almost there", below, amount - ALMOST)
        plant.expect("tier_almost_there", inside=True)
        plant = _tiered(bed, f"{tier}_not_almost", "a cent further away", below, amount - ALMOST - 1)
        plant.expect("tier_almost_there", inside=False)
    plant = _tiered(bed, "highest", "there is no tier above", "supreme", TIERS["supreme"][0] + 1)
    plant.expect("tier_almost_there", inside=False)
    amount = TIERS["senior"][0]
    for kind, kept, tier in (("net", amount, "senior"), ("net_short", amount - 1, "regular")):
        plant = _tiered(bed, kind, f"paid 600.00, {kept} cents stayed paid", tier, 60_000)
        bed.refund(plant, 0, 20)
        plant.orders[0].refunds[0].amount = 60_000 - kept
    plant = _tiered(bed, "none", "bought enough, but is no member", None, amount)
    plant.customer.is_member = False
    plant.expect("members", "tier_almost_there", inside=False)


def _tiers_by_deals(bed: Planting) -> None:
    for below, tier in pairwise(TIERS):
        deals = TIERS[tier][1]
        _tiered(bed, f"{tier}_by_deals", "as many small deals as the tier asks for", tier, *[100] * deals)
        _tiered(bed, f"{tier}_a_deal_short", "a deal fewer", below, *[100] * (deals - 1))
    deals = TIERS["senior"][1]
    plant = _tiered(bed, "deal_refunded", "enough deals, but one was given back", "regular", *[100] * deals)
    bed.refund(plant, 1, 20)


def _tiers_of_a_year(bed: Planting) -> None:
    for age, tier in ((TIER_DAYS - 1, "senior"), (TIER_DAYS, "regular")):
        if bed.reaches(age, f"tier_age_{age}"):
            _tiered(bed, f"age_{age}", f"the deal is of age {age}", tier, TIERS["senior"][0], age=age)


def _tier_moves(bed: Planting) -> None:
    for kind, exported, move in (
        ("up", TIERS["regular"][2], "up"),
        ("stays", TIERS["senior"][2], None),
        ("down", TIERS["vip"][2], "down"),
        ("unknown", "黑钻会员", None),
        ("untold", "", None),
    ):
        note = f"deals for senior; the export says {exported or 'nothing'}"
        plant = _tiered(bed, f"moves_{kind}", note, "senior", TIERS["senior"][0])
        bed.enrol(plant, tier=exported)
        plant.expect_one(_MOVES.values(), _MOVES.get(move or ""))
