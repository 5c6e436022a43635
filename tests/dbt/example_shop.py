"""In a copy of the project: drops files of the source that CONTRIBUTING describes, and prints what became of them.

usage: python example_shop.py HOME
"""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path

from raw_shop import RawShop, Warehouse

from renqun.ingest.ledger import accepted_parquet
from renqun.ingest.promote import ensure_raw_schema, promote_batches
from renqun.ingest.receive import receive_files
from renqun.quality.gates import gate_raw
from renqun.run import RunContext
from renqun.settings import Home

DAY = date(2026, 3, 1)
FILES = {
    "new": "店铺,订单,实付金额,状态,下单时间,付款时间,手机\n"
    "s,e1,30.00,样例已付款,2026-03-01 10:00:00,2026-03-01 10:05:00,13000000001\n"
    "s,e2,12.50,样例已付款,2026-03-01 11:00:00,2026-03-01 11:05:00,\n"
    "s,e3,x,样例已付款,2026-03-01 11:00:00,,\n"
    "合计,,42.50,,,,\n",
    "old": "店铺,订单,实际支付金额,状态,下单时间,付款时间\ns,e4,7.00,,2026/3/1 9:05,\ns,e9,7.00,样例,2026/3/1 9:05,\n",
}


def main(root: Path) -> None:
    """Receive, ask, accept, build as far as `fct_orders`, print."""
    ctx = RunContext.of("default", DAY, home=Home(root))
    for name, content in FILES.items():
        file = ctx.paths.landing / "orders" / str(DAY) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    receive_files(ctx.home, ctx.shop, "orders", [DAY], look_again_seconds=0)
    gate_raw(ctx, "orders", [DAY])
    accepted = promote_batches(ctx.home, ctx.shop, "orders", [DAY]).promoted
    ensure_raw_schema(ctx.paths)

    shop = RawShop.__new__(RawShop)
    shop.raw = ctx.paths.raw
    shop.batches = [
        {
            "batch_id": record.batch_id,
            "source": record.source,
            "group_name": record.group,
            "ds": record.ds,
            "raw_file": str(accepted_parquet(ctx.paths, record)),
            "file_name": record.file_name,
            "rows_read": record.rows_read,
            "rows_quarantined": record.rows_quarantined,
        }
        for record in accepted
    ]
    warehouse = Warehouse(shop, root / "warehouse.duckdb")
    models = ("+fct_orders", "+int_batch_row_counts")
    warehouse.build(DAY, "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test", select=models)
    print(
        json.dumps(
            {
                "versions": sorted(record.header_version for record in accepted),
                "left_out": sum(sum(record.rows_left_out.values()) for record in accepted),
                "orders": warehouse.rows(
                    "select order_id, cast(paid_amount as varchar), is_deal from marts.fct_orders order by 1"
                ),
                "lost": warehouse.rows(
                    "select batch_id from intermediate.int_batch_row_counts"
                    " where raw_row_count <> staged_row_count + quarantined_row_count"
                ),
                "statuses": warehouse.rows("select count(*) from marts.fct_orders where status_code is not null"),
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
