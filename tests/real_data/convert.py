"""Real research data as a shop would export it: one folder a business date, generic columns.

Only what the generic format needs is changed; whatever is wrong in the data stays wrong, for the pipeline to find.
docs/real-data.md says what that is, with counts.
"""

from __future__ import annotations

import csv
import io
import lzma
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TextIO

UCI_SHOP = "shops:\n- {id: default, name: UK gift shop, time_zone: Europe/London, currency: GBP, expect: [orders]}\n"
UCI_COLUMNS = ("order_id", "customer_id", "ordered_at", "paid_at", "item_id", "item_name", "quantity", "unit_price",
               "currency", "country")  # fmt: skip

TAOBAO_SHOP = "shops:\n- {id: default, name: Taobao sample, expect: [orders, traffic]}\n"
TAOBAO_FIRST_DAY, TAOBAO_LAST_DAY = "2017-11-25", "2017-12-03"
"""The days that the sample is said to cover; what lies outside arrives in the nearest day's file."""
TAOBAO_EVENTS = {"pv": "view", "cart": "cart", "fav": "favourite"}
TAOBAO_EVENT_COLUMNS = ("visitor_id", "customer_id", "item_id", "category_id", "event_type", "event_at")
TAOBAO_ORDER_COLUMNS = ("order_id", "customer_id", "ordered_at", "paid_at", "item_id", "category_id", "quantity",
                        "unit_price")  # fmt: skip
_CHINA = timezone(timedelta(hours=8))


def convert_uci(archive: Path, landing: Path) -> list[str]:
    """Lay the gift shop's files into the drop folders of `orders`; returns their days.

    An invoice is an order that was paid when it was made out. A cancellation is an invoice of its own that names no
    original: it stays an order with negative quantities. Ids lose the `.0` that a spreadsheet gave them.
    """
    days = []
    with tarfile.open(archive) as files:
        for member in sorted(files.getmembers(), key=lambda member: member.name):
            if not member.name.endswith(".csv"):
                continue
            content = files.extractfile(member)
            assert content is not None
            day = Path(member.name).stem
            days.append(day)
            with _csv_file(landing / "orders" / day / f"online_retail_{day}.csv", UCI_COLUMNS) as out:
                for row in csv.DictReader(io.TextIOWrapper(content, encoding="utf-8", newline="")):
                    out.write(_line(_uci_order_line(row)))
    return days


def _uci_order_line(row: dict[str, str]) -> tuple[str, ...]:
    return (
        row["InvoiceNo"],
        row["CustomerID"].removesuffix(".0"),
        row["InvoiceDate"],
        row["InvoiceDate"],
        row["StockCode"],
        row["Description"],
        row["Quantity"],
        row["UnitPrice"],
        "GBP",
        row["Country"],
    )


def convert_taobao(sample: Path, landing: Path) -> list[str]:
    """Lay the behaviour sample into the drop folders of `traffic` and `orders`; returns the days.

    Every person is logged in: user ids are visitor ids and customer ids. A `buy` has no price, so its order has a
    constructed one (`constructed_price`). The last line is cut off in the sample, and stays cut off.
    """
    first, last = datetime.fromisoformat(TAOBAO_FIRST_DAY), datetime.fromisoformat(TAOBAO_LAST_DAY)
    days = [f"{first + timedelta(days=n):%Y-%m-%d}" for n in range((last - first).days + 1)]
    with ExitStack() as stack:
        events = {
            day: stack.enter_context(
                _csv_file(landing / "traffic" / day / f"behaviour_{day}.csv", TAOBAO_EVENT_COLUMNS)
            )
            for day in days
        }
        orders = {
            day: stack.enter_context(_csv_file(landing / "orders" / day / f"buys_{day}.csv", TAOBAO_ORDER_COLUMNS))
            for day in days
        }
        for fields in taobao_lines(sample):
            if len(fields) < 5:
                user, item, category, behaviour = fields
                events[days[-1]].write(_line((user, user, item, category, TAOBAO_EVENTS[behaviour])))
                continue
            user, item, category, behaviour, epoch = fields
            at = datetime.fromtimestamp(int(epoch), _CHINA)
            day = min(max(f"{at:%Y-%m-%d}", days[0]), days[-1])
            when = f"{at:%Y-%m-%d %H:%M:%S}"
            if behaviour == "buy":
                order = (f"{user}-{item}-{epoch}", user, when, when, item, category, "1", constructed_price(item))
                orders[day].write(_line(order))
            else:
                events[day].write(_line((user, user, item, category, TAOBAO_EVENTS[behaviour], when)))
    return days


def taobao_lines(sample: Path) -> Iterator[list[str]]:
    """The lines of the behaviour sample, split at the commas."""
    with lzma.open(sample, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield line.rstrip("\n").split(",")


def constructed_price(item_id: str) -> str:
    """A price for an item, which the sample does not have: 9.90 to 198.90, the same whenever the item is bought."""
    return f"{9 + int(item_id) % 190}.90"


@contextmanager
def _csv_file(path: Path, columns: tuple[str, ...]) -> Iterator[TextIO]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.write(_line(columns))
        yield stream


def _line(cells: tuple[str, ...]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
