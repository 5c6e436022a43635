"""A shop of five days, small enough to read: every day has orders, refunds of earlier orders, visits and carts.

All people and items are invented. Day n is `2026-03-0n`.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench import Workbench

DAYS = tuple(f"2026-03-0{n}" for n in range(1, 6))
CUSTOMERS = tuple(f"customer-{n:02d}" for n in range(1, 25))


@dataclass(frozen=True)
class Day:
    """What the exports of one business date hold."""

    orders: tuple[str, ...]
    events: tuple[str, ...]


def day(number: int) -> Day:
    """The rows of day `number` (1 to 5)."""
    date = DAYS[number - 1]
    orders, events = [], []
    for place, customer in enumerate(CUSTOMERS, start=1):
        visitor = f"visitor-{place:02d}"
        if (place + number) % 2 == 0:
            seen = f"item-{place % 5},c1,search,,,app"
            events.append(f"e{number}-{place}-1,{date} 09:{place:02d}:00,view,{visitor},,{seen}")
            events.append(f"e{number}-{place}-2,{date} 09:{place:02d}:30,cart,{visitor},{customer},{seen}")
        if place % 4 == number % 4:
            # Two lines without an amount of their own share what the order paid.
            head = f"o{number}-{place}"
            tail = f"{customer},{date} 09:{place:02d}:40,{date} 09:{place:02d}:50,paid"
            orders.append(f"{head},{head}-1,{tail},item-{place % 5},Tea,c1,1,{10 + place}.00,,{30 + place}.01,,,CNY,")
            orders.append(f"{head},{head}-2,{tail},item-5,Cup,c2,2,10.00,,{30 + place}.01,,,CNY,")
    for place, customer in enumerate(CUSTOMERS, start=1):
        earlier = number - 2
        if earlier >= 1 and place % 4 == earlier % 4 and place % 3 == 0:
            # The order of two days ago comes again, its second line refunded.
            head, then = f"o{earlier}-{place}", DAYS[earlier - 1]
            tail = f"{customer},{then} 09:{place:02d}:40,{then} 09:{place:02d}:50,refunded"
            orders.append(f"{head},{head}-1,{tail},item-{place % 5},Tea,c1,1,{10 + place}.00,,{30 + place}.01,,,CNY,")
            orders.append(f"{head},{head}-2,{tail},item-5,Cup,c2,2,10.00,,{30 + place}.01,20.00,{date} 12:00:00,CNY,")
    # A deposit that was given back: the order was never paid, and has a refund all the same.
    deposit = f"deposit-{number},,customer-01,{date} 08:00:00,,closed,item-1,Tea,c1,1,50.00,,50.00,7.00,{date} 08:30:00"
    orders.append(f"{deposit},CNY,")
    # Somebody who comes shortly before midnight and leaves after it.
    events.append(f"e{number}-night-1,{date} 23:50:00,view,visitor-night,,item-1,c1,ads,,,web")
    if number > 1:
        events.append(f"e{number}-night-2,{date} 00:10:00,view,visitor-night,,item-2,c1,direct,,,web")
    return Day(tuple(orders), tuple(events))


def drop_day(bench: Workbench, number: int, *, orders: bool = True, events: bool = True, shop: str = "default") -> None:
    """Put a day's exports into the landing folder."""
    rows, date = day(number), DAYS[number - 1]
    if orders:
        bench.orders(date, *rows.orders, shop=shop)
    if events:
        bench.events(date, *rows.events, shop=shop)
