"""Orders in Taobao's forms: order report, item report and refund export, each with its quirks.

`taobao` is 千牛's text: the order report of 2017, the item report of 2021 (the first with line ids, which tell apart
two exports of a line; items are named by the seller's code) and the refund export of 2017, all in GB18030 with guarded
ids. An order whose lines have no ids comes in the classic item report, which knows none. `taobao_xlsx` is the workbooks
of 2025 and 2026, where the item report names its items.

A platform always says what an order paid, and never what a file's rows were exported at: an older state is a file of
the same day whose name sorts before the one of the evening.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from renqun.simulate import taobao_headers as headers
from renqun.simulate import taobao_rows as rows
from renqun.simulate.calendar import Calendar
from renqun.simulate.dirt import BROKEN, LOST_DIGITS, NOBODY, NOON, RAGGED, days_of_faults, soil
from renqun.simulate.drafts import Drafts, FileDraft
from renqun.simulate.facts import Order
from renqun.simulate.layouts import Book, GuardedText, Layout
from renqun.simulate.order_files import DOWNLOADED_TWICE_EVERY, OVERLAPPING_EVERY
from renqun.simulate.order_forms import in_order, planted_order
from renqun.simulate.planting import Planting
from renqun.simulate.taobao_rows import Cells
from renqun.simulate.wall import DAY, day_text, wall_text
from renqun.simulate.workbooks import Cell

_MORNING, _EVENING, _EVENING_AGAIN, _LATE, _CLASSIC = "1130", "2355", "2356", "2357", "2358"
"""When a file was downloaded; its name says so."""


@dataclass(frozen=True)
class _Report:
    """One kind of file."""

    source: str
    header: tuple[str, ...]
    layout: Layout
    name: str
    ending: str

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The header's names without their blanks; stripped once, because laying out a row is most of the work."""
        return tuple(name.strip() for name in self.header)

    def file_name(self, day: int, clock: str = _EVENING) -> str:
        """The name that the platform gives a download."""
        return f"{self.name}{day_text(day).replace('-', '')}{clock}.{self.ending}"

    def row(self, cells: Cells) -> list[str]:
        """The cells that the header has a place for."""
        return [cells.get(name, "") for name in self.names]

    def place(self, name: str) -> int:
        """Where a column stands."""
        return self.names.index(name)


_Reports = tuple[_Report, _Report, _Report, _Report | None]
"""Orders, lines, refunds, and lines without ids where these need a report of their own."""


def _texts() -> _Reports:
    def report(source: str, header: tuple[str, ...], name: str, *ids: str, end: str, trailing: str = "") -> _Report:
        return _Report(source, header, GuardedText(frozenset(ids), end, trailing), name, "csv")

    return (
        report("taobao_orders", headers.ORDERS_2018, "ExportOrderList", "订单编号", "特权订金订单id", end="\n"),
        report(
            "taobao_order_items", headers.ITEMS_2021, "ExportOrderDetailList", "子订单编号", "主订单编号", end="\r\n"
        ),
        report("taobao_refunds", headers.REFUNDS_2017, "退款", "订单编号", "退款编号", end="\r\n"),
        report(
            "taobao_order_items", headers.ITEMS_CLASSIC, "ExportOrderDetailList", "订单编号", end="\r\n", trailing=","
        ),
    )


def _workbooks() -> _Reports:
    return (
        _Report("taobao_orders", headers.ORDERS_2026, Book("订单"), "订单报表", "xlsx"),
        _Report("taobao_order_items", headers.ITEMS_2025, Book("宝贝"), "宝贝报表", "xlsx"),
        _Report("taobao_refunds", headers.REFUNDS_2026, Book("退款"), "退款", "xlsx"),
        None,
    )


class TaobaoOrders:
    """Drafts the three reports."""

    def __init__(self, calendar: Calendar, drafts: Drafts, *, as_workbooks: bool) -> None:
        self.calendar = calendar
        self.drafts = drafts
        self.as_workbooks = as_workbooks
        reports = _workbooks() if as_workbooks else _texts()
        self.orders, self.items, self.refunds, self.items_without_ids = reports

    def draft_orders(self, orders: Iterable[Order]) -> None:
        """Every export of every order, in the order in which they were placed; refunds on the day they succeed."""
        for order in in_order(orders):
            for folder in self.calendar.export_folders(order):
                self._show(order, folder, folder, _LATE if order.is_late else _EVENING)
            if not order.is_ghost:
                self._give_back(order)

    def _show(self, order: Order, state_of: int, folder: int, clock: str) -> None:
        """An order in the files of a folder, as it stood on the evening of a day."""
        heads = self._file(self.orders, folder, clock, is_late=order.is_late)
        head = self._row(self.orders, rows.head_cells(order, state_of, self.calendar))
        if heads.rows and heads.rows[-1][0] == order.order_id:
            # An order has one row; what contradicts it stands among the lines.
            heads.rows.pop()
        heads.rows.append(head)
        report = self.items
        if self.items_without_ids and not all(line.line_id for line in order.lines):
            report, clock = self.items_without_ids, _CLASSIC
        lines = self._file(report, folder, clock, is_late=order.is_late)
        lines.rows.extend(self._row(report, cells) for cells in rows.line_cells(order, state_of, self.calendar))

    def _give_back(self, order: Order) -> None:
        calendar = self.calendar
        clock = _LATE if order.is_late else _EVENING
        for number, refund in enumerate(order.refunds, start=1):
            draft = self._file(self.refunds, calendar.shown_from(order, refund.at // DAY), clock, is_late=order.is_late)
            draft.rows.append(self.refunds.row(rows.refund_cells(order, refund, number)))
        refused = rows.refused_refund(order)
        if refused and refused[0] <= calendar.end:
            draft = self._file(self.refunds, calendar.shown_from(order, refused[0]), clock, is_late=order.is_late)
            draft.rows.append(self.refunds.row(rows.refund_cells(order, refused[1], 1, is_refused=True)))

    def draft_planted_exports(self, bed: Planting) -> None:
        """A second pair of files with an order of the day, and a pair of the morning before an order's refund."""
        day = bed.end - 12
        self._show(planted_order(bed, "order_in_two_files"), day, day, _EVENING_AGAIN)
        refunded = bed.end - 10
        self._show(planted_order(bed, "order_stale_export"), refunded - 1, refunded, _MORNING)

    def draft_bad_rows(self) -> None:
        """Rows that belong into quarantine, at least one for each reason that the form can show."""
        first, end = self.calendar.daily_from, self.calendar.end
        for report, sound, faults in (
            (self.orders, _sound_head, _head_faults),
            (self.items, _sound_line, _line_faults),
        ):
            for number, day in enumerate(days_of_faults(first, end, len(faults(end)))):
                reason, change = faults(day)[number]
                self._soil(report, self._of_day(report, day), reason, sound(day, number) | change)
        files = [draft for draft in self.drafts.sorted() if draft.source == "taobao_refunds" and not draft.is_late]
        for number, (reason, change) in enumerate(_refund_faults() if files else []):
            draft = files[-1 - number % len(files)]
            self._soil(self.refunds, draft, reason, _sound_refund(draft.day, number) | change)

    def draft_dirty_export(self, bed: Planting) -> None:
        """A later item report with a planted order: one impossible line, and one that is only in bad company."""
        draft = self._of_day(self.items, bed.end - 9)
        order = planted_order(bed, "order_dirty_export")
        first, second = rows.line_cells(order, draft.day, self.calendar)
        self._soil(self.items, draft, "negative_quantity", first | {"购买数量": "-1"})
        company = second | {"退款状态": rows.SUCCEEDED, "退款金额": "30.00"}
        self._soil(self.items, draft, "order_has_quarantined_line", company)

    def draft_duplicates(self) -> None:
        """Files downloaded twice, and files that overlap with the one of the day."""
        for day in range(self.calendar.daily_from, self.calendar.end + 1):
            for report in (self.orders, self.items, self.refunds):
                name = report.file_name(day)
                draft = self.drafts.files.get((False, f"orders/{day_text(day)}/{name}"))
                if draft is None:
                    continue
                stem, _, ending = name.rpartition(".")
                key = report.place("主订单编号" if "主订单编号" in report.names else "订单编号")
                if day % OVERLAPPING_EVERY == 0 and draft.rows:
                    wanted = set(sorted({row[key] for row in draft.rows})[::3])
                    again = self._file(report, day, name=f"{stem} (1).{ending}")
                    again.rows.extend(row for row in draft.rows if row[key] in wanted)
                if day % DOWNLOADED_TWICE_EVERY == 0:
                    self.drafts.copy(draft, f"{stem} (2).{ending}")

    def _file(
        self, report: _Report, day: int, clock: str = _EVENING, *, name: str = "", is_late: bool = False
    ) -> FileDraft:
        name = name or report.file_name(day, clock)
        return self.drafts.file(
            "orders", report.source, day, name, report.header, is_late=is_late, layout=report.layout
        )

    def _of_day(self, report: _Report, day: int) -> FileDraft:
        return self.drafts.files[(False, f"orders/{day_text(day)}/{report.file_name(day)}")]

    def _row(self, report: _Report, cells: Cells) -> list[str]:
        """A row; the newer reports write the commas of a status half as wide, and hide where the parcel goes."""
        if self.as_workbooks:
            cells["订单状态"] = cells["订单状态"].replace("，", ",")
            if address := cells.get("收货地址"):
                cells["收货地址"] = " ".join([*address.split(" ")[:2], "****"])
        return report.row(cells)

    def _soil(self, report: _Report, draft: FileDraft, reason: str, cells: Cells) -> None:
        values = report.row(cells)
        if reason == RAGGED:
            values.append("surplus")
        if isinstance(report.layout, GuardedText):
            line = report.layout.line(report.header, values)
            broken = line.replace(b"planted-nothing", b"planted-\xffnothing", 1)
            soil(draft, reason, broken if reason == BROKEN else line)
        elif reason != BROKEN:
            # A workbook is UTF-8 by itself. And it can hold the number that a spreadsheet has made of an id.
            shown: Sequence[Cell] = [float(value) if value == LOST_DIGITS else value for value in values]
            soil(draft, reason, shown)


_Faults = Callable[[int], list[tuple[str, Cells]]]


def _sound_head(day: int, number: int) -> Cells:
    at = wall_text(day * DAY + NOON)
    return {
        "订单编号": f"D-{day_text(day)}-{number}", "买家会员名": NOBODY, "买家会员昵称": NOBODY, "总金额": "10.00",
        "买家实际支付金额": "10.00", "买家实付金额": "10.00", "订单状态": "买家已付款，等待卖家发货",
        "订单创建时间": at, "订单付款时间": at, "宝贝标题": "planted-nothing", "商品标题": "planted-nothing",
        "宝贝总数量": "1",
    }  # fmt: skip


def _head_faults(day: int) -> list[tuple[str, Cells]]:
    before, beyond = wall_text((day - 1) * DAY + NOON), wall_text((day + 3) * DAY + NOON)
    return [
        ("missing_required", {"买家实际支付金额": "", "买家实付金额": ""}),
        ("unparsable_value", {"退款金额": "12,5O"}),
        ("unparsable_value", {"订单创建时间": "2026-02-30 12:00:00"}),
        # No column tells the currency: an amount in another one is no amount.
        ("unparsable_value", {"总金额": "US$10.00"}),
        ("time_before_2000", {"订单创建时间": "1970-01-01 08:00:00"}),
        ("paid_before_ordered", {"订单付款时间": before}),
        ("time_after_export", {"订单创建时间": beyond, "订单付款时间": ""}),
        ("digits_lost", {"订单编号": LOST_DIGITS}),
        (RAGGED, {}),
        (BROKEN, {}),
    ]


def _sound_line(day: int, number: int) -> Cells:
    order_id = f"D-{day_text(day)}-L{number}"
    return {
        "主订单编号": order_id, "子订单编号": f"{order_id}-1", "标题": "planted-nothing",
        "商品标题": "planted-nothing", "价格": "10.00", "商品价格": "10.00", "购买数量": "1",
        "商家编码": "planted-nothing", "商品ID": "planted-nothing", "买家实际支付金额": "10.00",
        "买家实付金额": "10.00",
    }  # fmt: skip


def _line_faults(_day: int) -> list[tuple[str, Cells]]:
    return [
        ("missing_required", {"标题": "", "商品标题": ""}),
        ("unparsable_value", {"退款金额": "12,5O"}),
        ("negative_quantity", {"购买数量": "-2"}),
        ("negative_price", {"价格": "-10.00", "商品价格": "-10.00"}),
        ("digits_lost", {"子订单编号": LOST_DIGITS}),
        (RAGGED, {}),
        (BROKEN, {}),
    ]


def _sound_refund(day: int, number: int) -> Cells:
    order_id = f"D-{day_text(day)}-R{number}"
    return {
        "订单编号": order_id, "退款编号": f"{order_id}-1", "买家退款金额": "10.00", "退款状态": rows.SUCCEEDED,
        "退款完结时间": wall_text(day * DAY + NOON),
    }  # fmt: skip


def _refund_faults() -> list[tuple[str, Cells]]:
    return [
        ("missing_required", {"退款状态": ""}),
        ("unparsable_value", {"退款完结时间": "2026-02-30 12:00:00"}),
        ("negative_price", {"买家退款金额": "-10.00"}),
    ]
