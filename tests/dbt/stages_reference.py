"""Stages, tags, categories and measures of customers by brute force from the definitions: loops, fractions, no SQL."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from marts_people import CATEGORIES, event_category, people
from marts_reference import Thresholds, age, deals, interest, new_customers, quantile, repurchase, rfm
from marts_world import Row, Tables

INTEREST_TYPES = {"cart", "favourite", "search", "follow", "member"}
WEIGHTS = {"view": 1, "favourite": 3, "cart": 4}
CROWDS = {"cat_snacks": "food_lovers", "cat_diapers": "mother_and_baby"}
TIERS = [("regular", 0, 0), ("senior", 500, 3), ("vip", 2000, 8), ("supreme", 10000, 20)]
TIER_NAMES = {"普通会员": 0, "高级会员": 1, "VIP": 2, "至尊vip": 3}


def six(numerator: Any, denominator: Any) -> Decimal:
    """A share with six decimals."""
    return Decimal(float(numerator) / float(denominator)).quantize(Decimal("0.000001"), ROUND_HALF_UP)


def events_of(tables: Tables) -> dict[str, list[Row]]:
    """customer → events, those of linked visitors included"""
    own: dict[str, list[Row]] = defaultdict(list)
    for event in tables.events:
        customer = event["customer_key"] or tables.visitors[event["visitor_id"]]["customer_key"]
        if customer:
            own[customer].append(event)
    return own


def deal_dates(tables: Tables) -> dict[str, list[date]]:
    """customer → distinct pay dates of deals, in order"""
    days: dict[str, set[date]] = defaultdict(set)
    for order in deals(tables):
        days[order["customer_key"]].add(order["paid_date"])
    return {key: sorted(own) for key, own in days.items()}


def stages(tables: Tables, min_gaps: int = 100) -> dict[str, tuple[Any, ...]]:
    """customer → (aipl, lifecycle, is_churn_risk, median, p90, own median)"""
    days, events, fresh = deal_dates(tables), events_of(tables), new_customers(tables)
    gaps = [(later - earlier).days for own in days.values() for earlier, later in pairwise(own)]
    median, p90 = (
        (quantile(gaps, Fraction(1, 2)), quantile(gaps, Fraction(9, 10))) if len(gaps) >= min_gaps else (30, 90)
    )
    found = {}
    for customer in tables.customers:
        own = days.get(customer, [])
        ages = [age(tables, day) for day in own]
        recent = [event for event in events.get(customer, []) if age(tables, event["event_date"]) < 15]
        if sum(one < 365 for one in ages) >= 2:
            aipl = "loyalty"
        elif any(one < 720 for one in ages):
            aipl = "purchase"
        elif any(event["event_type"] in INTEREST_TYPES for event in recent) or (
            len({event["event_date"] for event in recent if event["event_type"] == "view"}) >= 2
        ):
            aipl = "interest"
        else:
            aipl = "awareness" if recent else None
        last = min(ages, default=None)
        if last is None:
            stage = "prospect"
        elif customer in fresh:
            stage = "new"
        elif last <= median:
            stage = "active"
        elif last <= p90:
            stage = "cooling"
        else:
            stage = "at_risk" if last <= 2 * p90 else "lost"
        own_median = None
        if len(own) >= 3:
            own_median = quantile([(b - a).days for a, b in pairwise(own)], Fraction(1, 2))
        away = own_median is not None and last is not None and stage != "lost" and last > 2 * own_median
        found[customer] = (aipl, stage, stage == "at_risk" or away, median, p90, own_median)
    return found


def tags(tables: Tables) -> dict[tuple[str, str], tuple[Any, ...]]:
    """(customer, tag) → (matching lines, judged lines, score)"""
    sold = [line for line in tables.lines if line["is_deal"]]
    first: dict[str, date] = {}
    for line in sold:
        first[line["item_id"]] = min(first.get(line["item_id"], line["paid_date"]), line["paid_date"])
    sold = [line for line in sold if age(tables, line["paid_date"]) < 365]
    prices: dict[str, list[Decimal]] = defaultdict(list)
    for line in sold:
        if line["unit_price"] and line["item_id"] in CATEGORIES:
            prices[CATEGORIES[line["item_id"]]].append(line["unit_price"])
    judged: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for line in sold:
        customer, category = line["customer_key"], CATEGORIES.get(line["item_id"])
        if not customer:
            continue
        listed = line["unit_price"] * line["quantity"]
        if listed:
            discount = max(listed - line["paid_amount"], line["discount_amount"] or 0)
            judged[customer, "price_sensitive"].append(discount * 5 >= listed)
        if line["unit_price"] and category:
            top = line["unit_price"] > quantile(prices[category], Fraction(2, 3))
            judged[customer, "quality_seeker"].append(top)
        judged[customer, "trend_follower"].append((line["paid_date"] - first[line["item_id"]]).days <= 30)
    return {key: (sum(own), len(own), six(sum(own), len(own))) for key, own in judged.items() if len(own) >= 2}


def categories(tables: Tables) -> dict[tuple[str, str], tuple[Any, ...]]:
    """(customer, category) → (views, favourites, carts, deal lines, weight, share)"""
    acts: list[tuple[str, str | None, str, date]] = [
        (customer, event_category(event) or CATEGORIES.get(event["item_id"]), event["event_type"], event["event_date"])
        for customer, own in events_of(tables).items()
        for event in own
        if event["event_type"] in WEIGHTS
    ]
    acts += [
        (line["customer_key"], CATEGORIES.get(line["item_id"]), "buy", line["paid_date"])
        for line in tables.lines
        if line["is_deal"] and line["customer_key"]
    ]
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    weights: Counter[tuple[str, str]] = Counter()
    totals: Counter[str] = Counter()
    for customer, category, kind, day in acts:
        if category and age(tables, day) < 365:
            weight = (WEIGHTS | {"buy": 8})[kind] * round(1000000 * 0.5 ** (age(tables, day) / 30))
            counts[customer, category][kind] += 1
            weights[customer, category] += weight
            totals[customer] += weight
    return {
        key: (
            *(own[kind] for kind in ("view", "favourite", "cart", "buy")),
            Decimal(weights[key]).scaleb(-6),
            six(weights[key], totals[key[0]]),
        )
        for key, own in counts.items()
    }


def measures(tables: Tables, thresholds: Thresholds) -> dict[str, Row]:
    """customer → the measures that are not another mart's columns"""
    days, events, shares = deal_dates(tables), events_of(tables), categories(tables)
    wishes, due, scores = interest(tables), repurchase(tables, thresholds), rfm(tables, thresholds.rfm_method)
    found = {}
    for person in people(tables):
        key = person["customer_key"]
        own = [order for order in deals(tables) if order["customer_key"] == key]
        orders = [order for order in tables.orders if order["customer_key"] == key]
        year = [order for order in own if age(tables, order["paid_date"]) < 365]
        dates = [event["event_date"] for event in events.get(key, [])]
        activity = min((age(tables, day) for day in [*dates, *days.get(key, [])]), default=None)
        starts = [*dates, person["first_ordered_date"], person["joined_date"]]
        related = person["is_fan"] or person["is_member"] or person["is_buyer"]
        interests = {c: own for (customer, c), own in shares.items() if customer == key}
        weight = sum(one[4] for one in interests.values())
        top = min(interests, key=lambda c: (-interests[c][5], c), default=None)
        crowds: dict[str, list[Any]] = defaultdict(list)
        for category, one in interests.items():
            if category in CROWDS:
                crowds[CROWDS[category]].append(one)
        net = sum((order["net_amount"] for order in year), Decimal(0))
        level = max(n for n, (_, amount, count) in enumerate(TIERS) if net >= amount or len(year) >= count)
        exported = TIER_NAMES.get(person["tier"] or "")
        found[key] = {
            "deal_count": len(own),
            "deal_day_count": len(days.get(key, [])),
            "deal_count_365d": len(year),
            "deal_day_count_365d": len({order["paid_date"] for order in year}),
            "net_amount": sum((order["net_amount"] for order in own), Decimal(0)),
            "net_amount_365d": net,
            "refunded_order_count": sum(order["is_paid"] and order["refunded_amount"] > 0 for order in orders),
            "unpaid_order_count": sum(
                not o["is_paid"] and not o["status_code"] and age(tables, o["ordered_date"]) < 7 for o in orders
            ),
            "days_since_last_activity": activity,
            "days_since_first_seen": max((age(tables, day) for day in starts if day), default=None),
            "is_effective": related and activity is not None and activity < 180,
            "is_silent": related and (activity is None or activity >= 180),
            "interest_item_count": len(wishes.get(key, [])),
            "abandoned_cart_item_count": len(abandoned(tables, key, events.get(key, []))),
            "affine_item_count": len(affine_items(tables, events.get(key, []))),
            "repurchase_due_item_count": len(due.get(key, [])),
            "affine_category_count": sum(sum(o[:4]) >= 5 and 2 * o[4] >= weight for o in interests.values()),
            "top_category_id": top,
            "crowd_ids": sorted(
                crowd
                for crowd, parts in crowds.items()
                if 4 * sum(p[4] for p in parts) >= weight and sum(sum(p[:4]) for p in parts) >= 3
            )
            or None,
            "rfm_class": scores[key][6] if key in scores else None,
            "tier_by_rule": TIERS[level][0] if person["is_member"] else None,
            "tier_move": None
            if not person["is_member"] or exported in (None, level)
            else ("up" if level > exported else "down"),
            "amount_to_next_tier": TIERS[level + 1][1] - net if person["is_member"] and level < 3 else None,
        }
    return found


def abandoned(tables: Tables, customer: str, events: list[Row]) -> set[str]:
    """Items put into the cart in the last three days, and neither ordered nor paid since."""
    return {
        event["item_id"]
        for event in events
        if event["event_type"] == "cart"
        and event["item_id"]
        and age(tables, event["event_date"]) < 3
        and not any(
            line["customer_key"] == customer
            and line["item_id"] == event["item_id"]
            and (line["ordered_at"] >= event["event_at"] or (line["is_paid"] and line["paid_at"] >= event["event_at"]))
            for line in tables.lines
        )
    }


def affine_items(tables: Tables, events: list[Row]) -> set[str]:
    """Items with three events or more, and half of the weight of the last 30 days' events with items."""
    weights: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for event in events:
        if event["item_id"] and event["event_type"] in WEIGHTS and age(tables, event["event_date"]) < 30:
            weights[event["item_id"]] += WEIGHTS[event["event_type"]]
            counts[event["item_id"]] += 1
    return {item for item in weights if counts[item] >= 3 and 2 * weights[item] >= weights.total()}
