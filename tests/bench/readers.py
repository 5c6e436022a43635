"""How fast files become raw Parquet: a GB18030 order file and a workbook of 30 columns, each in a process of its own.

usage: python -m tests.bench.readers [--megabytes N] [--rows N]

Every value is invented. Timings are reported and decide nothing.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

import duckdb

_HEADER = (
    "订单编号,买家会员名,买家支付宝账号,买家应付货款,买家应付邮费,总金额,买家实际支付金额,订单状态,收货人姓名,"
    "收货地址 ,联系手机,订单创建时间,订单付款时间 ,宝贝标题 ,物流单号 ,物流公司,宝贝总数量,店铺名称,"
    "订单关闭原因,卖家服务费,发票抬头,是否手机订单"
)
_DAY = date(2026, 8, 2)


def write_orders(path: Path, megabytes: float) -> int:
    """A classic order file in GB18030 with guards; returns its rows."""
    written, number = 0, 0
    with path.open("wb") as out:
        out.write((_HEADER + "\r\n").encode("gb18030"))
        while written < megabytes * 1e6:
            chunk = "".join(_order(number + place) for place in range(5_000)).encode("gb18030")
            number += 5_000
            written += out.write(chunk)
    return number


def _order(number: int) -> str:
    at = f"2026-08-01 {number % 24:02}:{number % 60:02}:{number * 7 % 60:02}"
    paid = f"{number % 30_000 / 100:.2f}"
    return (
        f'="{90210000000000000 + number}","买家{number}","x{number}@example.com","{paid}","0.00","{paid}","{paid}",'
        f'"买家已付款，等待卖家发货","某人{number % 97}","某省 某市 某区 某某街道{number % 1000}号(000000)",'
        f'"\'130{number % 100_000_000:08}","{at}","{at}","加厚棉麻连衣裙春秋款{number % 500}","No:{number}","某某快递",'
        f'"{1 + number % 3}","某某旗舰店","订单未关闭","0元","","手机订单"\r\n'
    )


def write_workbook(path: Path, rows: int) -> int:
    """An order workbook of 30 columns, every other one a number; returns its rows."""
    head = ["订单编号", "订单状态", "买家实付金额", *(f"列{place}" for place in range(27))]
    space = "http://schemas.openxmlformats.org"
    office = f"{space}/officeDocument/2006/relationships"
    declared = (
        f'<Types xmlns="{space}/package/2006/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'
    )
    with ZipFile(path, "w", ZIP_DEFLATED) as book:
        book.writestr("[Content_Types].xml", declared)
        book.writestr("_rels/.rels", _relation(space, f"{office}/officeDocument", "xl/workbook.xml"))
        book.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{space}/spreadsheetml/2006/main" xmlns:r="{office}"><sheets>'
            '<sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>',
        )
        book.writestr("xl/_rels/workbook.xml.rels", _relation(space, f"{office}/worksheet", "worksheets/sheet1.xml"))
        with book.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(f'<worksheet xmlns="{space}/spreadsheetml/2006/main"><sheetData>'.encode())
            sheet.write(_sheet_row(list(head)))
            for number in range(rows):
                cells = [f"文本{number % 1000}" if place % 2 else number * 1.25 for place in range(27)]
                sheet.write(_sheet_row([str(90210000000000000 + number), "交易成功", 9.9, *cells]))
            sheet.write(b"</sheetData></worksheet>")
    return rows


def _relation(space: str, kind: str, target: str) -> str:
    return (
        f'<Relationships xmlns="{space}/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{kind}" Target="{target}"/></Relationships>'
    )


def _sheet_row(cells: list[str | float]) -> bytes:
    written = (
        f"<c><v>{cell!r}</v></c>" if isinstance(cell, float) else f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
        for cell in cells
    )
    return f"<row>{''.join(written)}</row>".encode()


def read(path: str) -> dict[str, Any]:
    """Detect, decode, clean, check and write one file; seconds and the peak of this process's memory.

    Seconds are the clock's; CPU seconds are those of all processes, whatever else the machine does.
    """
    from renqun.ingest.checks import Place
    from renqun.ingest.detect import detect
    from renqun.ingest.engine import workbench
    from renqun.ingest.load import write_batch
    from renqun.settings import Shop

    shop, file = Shop(id="default"), Path(path)
    began, cpu = time.perf_counter(), _cpu_seconds()
    with workbench() as bench:
        found = detect(bench, file, group=None, where=file.name, day=_DAY)
        place = Place(shop, file.name, "bench", shop.end_of_day(_DAY))
        counts = write_batch(bench, file, found, place, where=file.name, target=file.with_suffix(".parquet"))
    seconds = time.perf_counter() - began
    cpu = _cpu_seconds() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    # The largest of the processes that read portions; there are as many at once as threads.
    beside = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {
        "rows": counts.rows_read,
        "quarantined": counts.rows_quarantined,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu, 2),
        "megabytes_per_second": round(file.stat().st_size / 1e6 / seconds, 1),
        "rows_per_second": round(counts.rows_read / seconds),
        "peak_mebibytes": round(peak),
        "peak_mebibytes_of_a_child": round(beside),
    }


def _cpu_seconds() -> float:
    """Of this process and of those that it started and that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def floor_of(path: str) -> float:
    """The CPU seconds of nothing but decoding an order file, reading it as CSV and writing it as Parquet."""
    file = Path(path)
    plain, target = file.with_suffix(".plain.csv"), file.with_suffix(".plain.parquet")
    cpu = _cpu_seconds()
    with file.open("rb") as stream, plain.open("wb") as out:
        while lines := stream.readlines(4 * 1024 * 1024):
            out.write(b"".join(lines).decode("gb18030").encode().replace(b'="', b'"'))
    with duckdb.connect(config={"threads": 2}) as connection:
        read_csv = f"read_csv('{plain}', all_varchar = true, header = true, delim = ',', quote = '\"')"
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"copy (select * from {read_csv}) to '{target}' (format parquet, compression zstd)")
    cpu = _cpu_seconds() - cpu
    plain.unlink()
    target.unlink()
    return round(cpu, 2)


def measure(megabytes: float, rows: int) -> dict[str, dict[str, Any]]:
    """Both files, each read in a process of its own."""
    measured = {}
    makers: dict[str, tuple[Callable[[Path], int], str]] = {
        "order file, GB18030": (lambda path: write_orders(path, megabytes), "orders.csv"),
        "workbook, 30 columns": (lambda path: write_workbook(path, rows), "orders.xlsx"),
    }
    with tempfile.TemporaryDirectory(prefix="renqun-bench-") as folder:
        for name, (make, file) in makers.items():
            path = Path(folder) / file
            make(path)
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                measured[name] = pool.apply(read, (str(path),))
            if path.suffix == ".csv":
                with multiprocessing.get_context("spawn").Pool(1) as pool:
                    measured[name]["floor_cpu_seconds"] = pool.apply(floor_of, (str(path),))
            path.unlink()
    return measured


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.readers", description=__doc__)
    parser.add_argument("--megabytes", type=float, default=200, help="size of the order file")
    parser.add_argument("--rows", type=int, default=60_000, help="rows of the workbook")
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.megabytes, arguments.rows), indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
