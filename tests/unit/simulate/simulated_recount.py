"""A second opinion on a simulated shop: its clean files, read and counted with nothing but the standard library."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

Row = dict[str, str]
_ZERO = Decimal(0)


def read(path: Path) -> list[Row]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@dataclass
class Recount:
    """Orders in their newest export, and events once each."""

    orders: dict[str, list[Row]] = field(default_factory=dict)
    events: list[Row] = field(default_factory=list)

    def paid(self) -> dict[str, tuple[str, Decimal, Decimal]]:
        """Paid orders: pay date, what was paid, what came back."""
        found = {}
        for order_id, rows in self.orders.items():
            paid_at = next((row["paid_at"] for row in rows if row["paid_at"]), "")
            if paid_at:
                given = next((row["order_paid_amount"] for row in rows if row["order_paid_amount"]), "")
                amount = Decimal(given) if given else sum(map(_line_amount, rows), _ZERO)
                refunded = sum((Decimal(row["refunded_amount"] or 0) for row in rows), _ZERO)
                found[order_id] = (paid_at[:10], amount, refunded)
        return found

    def buyers(self, same_person: dict[str, str]) -> dict[str, str]:
        """Order → who bought: by customer id, else, where the nick has stars, by the phone; empty for nobody."""
        shown = {order_id: rows[0]["customer_id"] for order_id, rows in self.orders.items()}
        of_phone = {self.orders[order][0]["phone"]: nick for order, nick in shown.items() if nick and "*" not in nick}
        names = {
            order: of_phone.get(self.orders[order][0]["phone"], "") if "*" in nick else nick
            for order, nick in shown.items()
        }
        return {order: same_person.get(name, name) for order, name in names.items()}

    def sessions(self) -> int:
        """Visits, parted by more than 30 minutes."""
        times: dict[str, list[datetime]] = defaultdict(list)
        for row in self.events:
            times[row["visitor_id"]].append(datetime.fromisoformat(row["event_at"]))
        gap = timedelta(minutes=30)
        return sum(
            1 + sum(later - earlier > gap for earlier, later in pairwise(seen)) for seen in map(sorted, times.values())
        )


def _line_amount(row: Row) -> Decimal:
    if row["line_paid_amount"]:
        return Decimal(row["line_paid_amount"])
    return Decimal(row["unit_price"]) * int(row["quantity"]) - Decimal(row["discount_amount"] or 0)


def recount(landing: Path, zone: str) -> Recount:
    """Count a landing tree without quarantined rows and without copies of files."""
    result = Recount()
    for folder in sorted((landing / "orders").iterdir()):
        for path in sorted(folder.iterdir()):
            exports: dict[str, dict[str, Row]] = defaultdict(dict)
            for number, row in enumerate(read(path)):
                exports[row["order_id"]][row["line_id"] or str(number)] = row
            result.orders.update({order_id: list(lines.values()) for order_id, lines in exports.items()})
    seen = set()
    for folder in sorted((landing / "traffic").iterdir()):
        for row in read(folder / "traffic_events.csv"):
            if row["event_id"] and row["event_id"] in seen:
                continue
            seen.add(row["event_id"])
            if row["event_at"].endswith("Z"):
                instant = datetime.fromisoformat(row["event_at"]).astimezone(ZoneInfo(zone))
                row["event_at"] = f"{instant:%Y-%m-%d %H:%M:%S}"
            result.events.append(row)
    return result
