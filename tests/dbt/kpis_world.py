"""What the marts of KPIs read of platforms, derived from a world: 生意参谋's days, excluded orders, exports."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from marts_people import chance

if TYPE_CHECKING:
    from marts_world import Row, Tables

KPI_COLUMNS = {
    "intermediate.int_excluded_orders": "order_id varchar",
    "intermediate.int_order_versions": "order_id varchar, platform varchar, order_paid_amount decimal(18,2), "
    "is_paid_by_status boolean, paid_date date, exported_at timestamp, _source_file varchar, _folder_date date, "
    "_batch_id varchar",
    "intermediate.int_shop_traffic_versions": "visitors decimal(18,2), views decimal(18,2), "
    "cart_visitors decimal(18,2), favourite_visitors decimal(18,2), orders_paid decimal(18,2), "
    "buyers_paid decimal(18,2), item_quantity decimal(18,2), paid_amount decimal(18,2), "
    "refunded_amount decimal(18,2), business_date date, _folder_date date, _batch_id varchar, "
    "_source_file varchar, _source_row bigint",
}


def kpi_tables(tables: Tables) -> dict[str, list[Row]]:
    """The rows of KPI_COLUMNS; every day of the last twenty is told, a few without a paid amount."""
    days = [tables.as_of - timedelta(days=n) for n in range(-1, 20)]
    versions: list[Row] = []

    def export(order_id: str, platform: str, said: bool | None, row: Row, after: int, paid: Decimal | None) -> None:
        folder = row["paid_date"] + timedelta(days=after)
        if folder <= tables.as_of:
            versions.append(
                {
                    "order_id": order_id,
                    "platform": platform,
                    "order_paid_amount": paid,
                    "is_paid_by_status": said,
                    "paid_date": None if said is False else row["paid_date"],
                    "exported_at": f"{folder} 16:00:00",
                    "_source_file": "orders.csv",
                    "_folder_date": folder,
                    "_batch_id": f"{folder}",
                }
            )

    for order in tables.orders:
        if order["is_paid"]:
            platform = ["taobao", "taobao", "generic"][chance(order["order_id"], 3)]
            # On its own day unpaid, a day after it, or always paid; then paid, or nobody says so any more.
            unpaid = chance(order["order_id"] + "unpaid", 4)
            for after in range(4):
                said = (
                    [False, None, True][chance(f"{order['order_id']}{after}", 3)] if after > unpaid else after != unpaid
                )
                export(order["order_id"], platform, said, order, after, order["paid_amount"])
    excluded = [{"paid_date": day, "order_id": f"x{n}"} for n, day in enumerate(days) if chance(f"{day}", 3)]
    for order in excluded:
        for after in (0, 1):
            amount = [None, Decimal("9.99"), Decimal("50.00")][chance(order["order_id"] + str(after), 3)]
            export(order["order_id"], "taobao", True, order, after, amount)
    told = [
        {
            "visitors": chance(f"visitors{day}", 40),
            "orders_paid": chance(f"orders{day}", 20),
            "paid_amount": None if chance(f"none{day}", 5) == 0 else Decimal(chance(f"paid{day}", 10**6)) / 100,
            "business_date": day,
            "_folder_date": day,
            "_batch_id": f"{day}",
            "_source_file": "shop.xls",
            "_source_row": 1,
        }
        for day in days
    ]
    return {
        "intermediate.int_excluded_orders": [{"order_id": row["order_id"]} for row in excluded],
        "intermediate.int_order_versions": versions,
        "intermediate.int_shop_traffic_versions": told,
    }
