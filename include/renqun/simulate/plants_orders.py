"""Persons planted for money: refunds, allocation, presale, orders that change or are exported more than once."""

from __future__ import annotations

from renqun.simulate.facts import Item, Line, Order, Refund
from renqun.simulate.planting import Plant, Planting


def plant_orders(bed: Planting) -> None:
    """All of them."""
    _refunds(bed)
    _allocation(bed)
    _odd_rows(bed)
    _exports(bed)
    _without_customer(bed)


def _one_order(bed: Planting, kind: str, note: str, lines: list[Line], *, paid: int | None = None) -> Plant:
    """A person with one order of age 25."""
    plant = bed.plant(kind, note)
    bed.order(plant, bed.at(25, "09:00:00"), bed.at(25, "09:02:00"), lines, paid=paid)
    return plant


def _priced(bed: Planting, name: str, *prices: int) -> list[Line]:
    return [bed.line(bed.item(f"{name}_{place}", price)) for place, price in enumerate(prices, start=1)]


def _refunds(bed: Planting) -> None:
    def refunded(kind: str, note: str, *refunds: Refund) -> None:
        plant = _one_order(bed, kind, note, _priced(bed, kind, 10_000, 5_000))
        plant.orders[0].refunds = list(refunds)

    refunded("refund_partial", "40.00 of the first line", Refund(0, bed.at(12), 4_000))
    refunded(
        "refund_full_later",
        "40.00 at age 12; a later export shows the rest",
        Refund(0, bed.at(12), 4_000),
        Refund(0, bed.at(5), 6_000),
        Refund(1, bed.at(5), 5_000),
    )
    refunded(
        "refund_over", "160.00 came back of 150.00 paid", Refund(0, bed.at(8), 11_000), Refund(1, bed.at(8), 5_000)
    )
    refunded("refund_without_time", "dated by the export that shows it", Refund(1, bed.at(4), 2_500, False))
    refunded(
        "refund_twice_without_time",
        "the second export shows 10.00 more: that counts on its own day",
        Refund(0, bed.at(9), 2_000, False),
        Refund(0, bed.at(4), 1_000, False),
    )


def _unpriced(item: Item, quantity: int, paid: int, discount: int = 0) -> Line:
    """A line whose amount the export leaves out."""
    return Line(item, quantity, item.price, discount, paid, exports_paid=False)


def _allocation(bed: Planting) -> None:
    _one_order(bed, "money_postage", "12.00 postage stay unallocated", _priced(bed, "postage", 8_800), paid=10_000)
    _one_order(
        bed, "money_rounding", "the platform took a cent off", _priced(bed, "rounding", 3_333, 6_668), paid=10_000
    )
    thirds = [bed.item(f"third_{place}", 3_500) for place in (1, 2, 3)]
    _one_order(
        bed,
        "money_thirds",
        "100.00 over three equal lines without amounts: the first gets the odd cent",
        [_unpriced(item, 1, share) for item, share in zip(thirds, (3_334, 3_333, 3_333), strict=True)],
        paid=10_000,
    )
    given, one, two = (
        bed.item(f"rest_{name}", price) for name, price in (("given", 5_000), ("a", 1_000), ("b", 2_000))
    )
    _one_order(
        bed,
        "money_rest",
        "one line has its 45.00; the other two share the remaining 55.00 like 1×10.00 to 2×20.00",
        [Line(given, 1, 5_000, 500, 4_500), _unpriced(one, 1, 1_100), _unpriced(two, 2, 4_400)],
        paid=10_000,
    )
    gifts = [bed.item(f"worthless_{place}", 0) for place in (1, 2, 3)]
    _one_order(
        bed,
        "money_equal_shares",
        "10.00 paid for three lines without a price: equal shares",
        [_unpriced(item, 1, share) for item, share in zip(gifts, (334, 333, 333), strict=True)],
        paid=1_000,
    )
    bare = bed.item("bare", 1_999)
    plant = _one_order(
        bed, "money_from_prices", "no amount anywhere: 3 × 19.99 − 5.00", [_unpriced(bare, 3, 5_497, discount=500)]
    )
    plant.orders[0].exports_paid = False
    plant = _one_order(
        bed, "money_sum_of_lines", "the order has no amount, its lines have", _priced(bed, "sum", 700, 800)
    )
    plant.orders[0].exports_paid = False


def _odd_rows(bed: Planting) -> None:
    lines = [*_priced(bed, "gift", 6_600), bed.line(Item("planted-gift", '赠品 "小样", 5ml', "cat_planted", 0, 30))]
    _one_order(bed, "zero_price_gift", "a gift for 0.00, its name quoted and with a comma", lines)
    plant = _one_order(
        bed, "lines_without_id", "rows without a line id, matched by their place", _priced(bed, "noid", 1_000, 2_000)
    )
    for line in plant.orders[0].lines:
        line.line_id = ""
    plant = _one_order(
        bed, "line_twice", "one file shows the line twice, the last row counts", _priced(bed, "twice", 3_000)
    )
    ghost = _copy(plant.orders[0], quantity=9)
    ghost.only_on = bed.end - 25
    plant.orders.insert(0, ghost)


def _copy(order: Order, *, quantity: int | None = None) -> Order:
    """What another export says of the same order; not a fact."""
    lines = [
        Line(line.item, quantity or line.quantity, line.unit, line.discount, line.paid, line.line_id, line.exports_paid)
        for line in order.lines
    ]
    return Order(
        order_id=order.order_id,
        customer_id=order.customer_id,
        ordered_at=order.ordered_at,
        paid_at=order.paid_at,
        paid=order.paid,
        lines=lines,
        person=order.person,
        settles=False,
        is_ghost=True,
    )


def _exports(bed: Planting) -> None:
    plant = bed.plant("presale", "deposit at age 15, balance at age 10: placed and paid on different days")
    bed.order(plant, bed.at(15, "20:00:00"), bed.at(10, "20:00:00")).is_presale = True
    plant = bed.plant("state_changes", "unpaid in the first export, paid in the second, partly refunded in the third")
    bed.order(plant, bed.at(14, "22:00:00"), bed.at(13, "08:00:00"), refunds=[(0, bed.at(11), 1_000)])
    plant = _one_order(
        bed,
        "order_amended",
        "the first export shows a second line that the last one lacks",
        _priced(bed, "kept", 4_000),
    )
    real = plant.orders[0]
    before = _copy(real)
    dropped = bed.line(bed.item("dropped", 2_000))
    dropped.line_id = f"{real.order_id}-2"
    before.lines.append(dropped)
    before.paid += 2_000
    before.only_on = bed.end - 25
    real.delay_days = 2
    plant.orders.insert(0, before)
    plant = bed.plant("order_late_row", "the order first appears in the file of the day after the next")
    bed.order(plant, bed.at(13), bed.at(13, "12:01:00")).delay_days = 2
    for kind, note in (
        ("order_in_two_files", "two files of one day hold the order"),
        ("order_stale_export", "a later file holds an older state, and says so by exported_at"),
        ("order_dirty_export", "its last export has a bad line and is quarantined: the export before stands"),
    ):
        plant = bed.plant(kind, note)
        lines = _priced(bed, kind, 6_000, 3_000)
        bed.order(plant, bed.at(12, "11:00:00"), bed.at(12, "11:01:00"), lines, refunds=[(0, bed.at(10), 1_500)])


def _without_customer(bed: Planting) -> None:
    for kind, note, shown in (
        ("guest", "an order without a customer", ""),
        ("masked_nick", "an order whose customer is masked", "种**客"),
    ):
        plant = bed.plant(kind, note, is_visitor=True)
        bed.order(plant, bed.at(7), bed.at(7, "12:02:00"), customer_id=shown)
