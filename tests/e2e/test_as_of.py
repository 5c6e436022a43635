"""Nothing that is dated after the build's date shows in any mart: it waits, and then it is there."""

from __future__ import annotations

import pytest
from small_shop import DAYS, day, drop_day
from workbench import Workbench, differences

from renqun.warehouse.memory import MEMORY_TABLES, PUBLICATION_MEMORY

pytestmark = pytest.mark.e2e

MEMORY = MEMORY_TABLES + PUBLICATION_MEMORY

# An export may hold what happened shortly after its day: here all of it is of the small hours of 2026-03-04.
LATER_EVENTS = (
    "f1,2026-03-04 00:10:00,view,visitor-01,,item-1,c1,live,,,app",
    "f2,2026-03-04 00:11:00,cart,visitor-01,customer-01,item-9,c9,live,,,app",
    "f3,2026-03-04 00:12:00,view,visitor-new,customer-new,item-9,c9,live,,,app",
    "f4,2026-03-04 00:05:00,view,visitor-night,,item-9,c9,live,,,web",
)
LATER_ORDER = "p1,,customer-02,2026-03-04 00:20:00,2026-03-04 00:21:00,paid,item-9,Pot,c9,1,9.00,,9.00,,,CNY,"
PAID_LATER = "p2,,customer-03,2026-03-03 23:50:00,{paid},open,item-1,Tea,c1,1,8.00,,8.00,,,CNY,"
REFUNDED_LATER = "p3,,customer-04,2026-03-03 10:00:00,2026-03-03 10:01:00,paid,item-1,Tea,c1,1,7.00,,7.00,{refund},CNY,"


def _home(bench: Workbench, *, looks_ahead: bool) -> Workbench:
    for number in (1, 2):
        drop_day(bench, number)
    exports = day(3)
    paid_at = "2026-03-04 00:30:00" if looks_ahead else ""
    refund = "7.00,2026-03-04 00:40:00" if looks_ahead else ","
    rows = [PAID_LATER.format(paid=paid_at), REFUNDED_LATER.format(refund=refund)]
    if looks_ahead:
        rows.append(LATER_ORDER)
    bench.orders(DAYS[2], *exports.orders, *rows)
    bench.events(DAYS[2], *exports.events, *(LATER_EVENTS if looks_ahead else ()))
    members = "customer_id,joined_at,is_fan\ncustomer-05,2026-03-02 10:00:00,true\n"
    later = "customer-later,2026-03-04 00:50:00,true\n" if looks_ahead else ""
    bench.drop("profiles", DAYS[2], "members.csv", members + later)
    return bench


def test_what_is_dated_after_the_builds_date_waits(bench: Workbench, another) -> None:
    ahead = _home(bench, looks_ahead=True)
    ahead.done("run", "--from", DAYS[0], "--to", DAYS[2])
    without = _home(another("without"), looks_ahead=False)
    without.done("run", "--from", DAYS[0], "--to", DAYS[2])
    assert differences(ahead, without) == {}

    # The next day it has happened, although no export of that day says so again.
    drop_day(ahead, 4)
    ahead.done("run", "--date", DAYS[3])
    with ahead.marts() as marts:
        orders = marts.execute(
            "select order_id, is_paid, paid_amount, refunded_amount from fct_orders where order_id like 'p%' order by 1"
        ).fetchall()
        customers = marts.execute(
            "select count(*) from dim_customers where list_contains(customer_ids, 'customer-new')"
        )
        assert customers.fetchall() == [(1,)]
    assert [(name, paid, str(amount), str(refund)) for name, paid, amount, refund in orders] == [
        ("p1", True, "9.00", "0.00"),
        ("p2", True, "8.00", "0.00"),
        ("p3", True, "7.00", "7.00"),
    ]
    at_once = _home(another("at-once"), looks_ahead=True)
    drop_day(at_once, 4)
    at_once.done("run", "--from", DAYS[0], "--to", DAYS[3])
    assert differences(ahead, at_once, leave_out=MEMORY) == {}
