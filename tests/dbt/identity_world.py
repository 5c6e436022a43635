"""Who is who, over four builds: every rule of identity has people of its own, all invented, in one small shop.

masked   an order of 张** without anything else: nobody's
twins    two members with one phone
chain    members a and c, told apart on the 1st; on the 4th a consent names a's phone with c's address
twenty   twenty members with one phone are one person
crowd    so are twenty others, until the 21st turns up on the 5th: the phone links nobody
waiting  an order by phone on the 1st, and in the same file one of the 5th that names the phone's member
visitor  v1 comes from ads on the 1st and logs in on the 4th; v2 logs in as two; v3 as two who are one person
wishes   two members with carts, inside `interest` from the 4th and the 5th on; one from the 6th on
back     likewise, both inside from the 4th on; back_a leaves on the 5th, and names the one person of the 6th
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from hashlib import md5, sha256
from typing import NamedTuple

from raw_shop import RawShop, Row

DAYS = (date(2024, 3, 1), date(2024, 3, 4), date(2024, 3, 5), date(2024, 3, 6))
_1, _4, _5, _6 = DAYS


class File(NamedTuple):
    """A file of a day's folder, which arrives on that day."""

    source: str
    day: date
    name: str
    rows: tuple[Row, ...]


def key(kind: str, value: str) -> str:
    """The key of an identifier; of a person, where it is the person's minimal one."""
    return md5(f"{kind}:{value}".encode()).hexdigest()


def phone_key(number: int) -> str:
    """The key of one of the phones below."""
    return key("phone_hash", sha256(f"+86{phone(number)}".encode()).hexdigest())


def phone(number: int) -> str:
    """An invented phone number."""
    return f"154{number:08d}"


def order(order_id: str, day: date, **told: str | None) -> Row:
    """A paid order of 10.00 at noon."""
    return {
        "order_id": order_id, "ordered_at": f"{day} 12:00", "paid_at": f"{day} 12:00", "item_id": "i0",
        "category_id": "k", "quantity": "1", "unit_price": "10", "order_paid_amount": "10",
    } | told  # fmt: skip


def event(event_id: str, day: date, visitor: str, customer: str | None = None, **told: str) -> Row:
    """A view at ten."""
    return {
        "event_id": event_id, "event_at": f"{day} 10:00", "event_type": "view", "visitor_id": visitor,
        "customer_id": customer,
    } | told  # fmt: skip


def _members(prefix: str, shared: int, numbers: range, day: date) -> Iterator[Row]:
    return (
        order(f"{prefix}-{number}", day, customer_id=f"{prefix}{number:02}", phone=phone(shared)) for number in numbers
    )


CONSENT = File("consent", _4, "consent.csv", (
    {"phone": phone(2), "email": "C@chain.example", "channel": "sms", "purpose": "p", "granted": "true",
     "recorded_at": "2024-03-04 09:00"},
))  # fmt: skip
FILES = (
    File("orders", _1, "orders.csv", (
        order("masked", _1, customer_id="张**", phone="138****0000", email="a***@b.example"),
        order("twin-1", _1, customer_id="twin1", phone=phone(1)),
        order("twin-2", _1, customer_id="twin2", phone="+86 " + phone(1)),
        order("chain-a", _1, customer_id="chain_a", phone=phone(2)),
        order("chain-c", _1, customer_id="chain_c", email="c@chain.example"),
        order("waiting-now", _1, phone=phone(3)),
        order("waiting-later", _5, paid_at=None, customer_id="waiter", phone=phone(3)),
        *_members("twenty", 4, range(20), _1),
        *_members("crowd", 5, range(20), _1),
        order("crowd-phone", _1, phone=phone(5)),
    )),
    File("traffic_events", _1, "events.csv", (
        event("e1", _1, "v1", source="ads"),
        event("e2", _1, "v2", "two_a", source="search"), event("e3", _1, "v2", "two_b"), event("e4", _1, "v2"),
        event("e5", _1, "v3", "twin1"), event("e6", _1, "v3", "twin2"),
        event("e7", _1, "w1", "wish_z", event_type="cart", item_id="i1"),
        event("e8", date(2024, 3, 2), "w2", "wish_a", event_type="cart", item_id="i1"),
        event("e10", _1, "w3", "back_a", event_type="cart", item_id="i2"),
        event("e11", _1, "w4", "back_z", event_type="cart", item_id="i3"),
    )),
    CONSENT,
    File("traffic_events", _4, "events.csv", (event("e9", _4, "v1", "logged_in", source="search"),)),
    File("orders", _5, "orders.csv", (
        *_members("crowd", 5, range(20, 21), _5), order("back", _5, customer_id="back_a", item_id="i2"),
    )),
    File("members", _6, "members.csv", (
        {"customer_id": "wish_a", "phone": phone(6), "tier": "gold"},
        {"customer_id": "wish_z", "phone": phone(6)},
        {"customer_id": "back_a", "phone": phone(8)},
        {"customer_id": "back_z", "phone": phone(8)},
        {"customer_id": "李**", "phone": phone(7), "is_fan": "true"},
    )),
)  # fmt: skip


def accept(shop: RawShop, day: date) -> None:
    """Accept the files of a day."""
    for file in FILES:
        if file.day == day:
            shop.add_batch(file.source, day, file.rows, file_name=file.name)
