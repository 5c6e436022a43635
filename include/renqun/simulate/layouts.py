"""How the bytes of a file are laid out: generic CSV, 千牛's text in GB18030, Shopify's CSV, workbooks."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from renqun.simulate.workbooks import Cell, Sheet, xls, xlsx

Header = tuple[str, ...]
Rows = Sequence[Sequence[str]]


class Layout(Protocol):
    """Turns a header and rows into the bytes of a file."""

    def content(self, header: Header, rows: Rows, faults: Sequence[bytes | Sequence[Cell]]) -> bytes:
        """The file. Faults come last: lines that are written as they are, or the cells of a workbook's rows."""
        ...


@dataclass(frozen=True)
class PlainText:
    """CSV in UTF-8, quoted only where needed, lines ended by a line feed."""

    def content(self, header: Header, rows: Rows, faults: Sequence[bytes | Sequence[Cell]]) -> bytes:
        """The file's bytes."""
        return _plain_text([header, *rows]).encode() + b"".join(_as_line(fault) + b"\n" for fault in faults)

    def line(self, cells: Sequence[str]) -> bytes:
        """One row without its end."""
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(cells)
        return text.getvalue().encode()


@dataclass(frozen=True)
class GuardedText:
    """CSV as 千牛 writes it: GB18030, names bare, cells quoted, long ids as formulas (`="351…"`) outside the quotes."""

    guarded: frozenset[str]
    """Names of the columns whose cells are guarded."""
    end: str = "\r\n"
    trailing: str = ""
    """What stands at the end of every row but the header: the classic item report has a comma too many."""

    def content(self, header: Header, rows: Rows, faults: Sequence[bytes | Sequence[Cell]]) -> bytes:
        """The file's bytes."""
        opened = self._opened(header)
        end = self.trailing + self.end
        body = "".join([_quoted(opened, row) + end for row in rows])
        text = (",".join(header) + self.end + body).encode("gb18030")
        return text + b"".join(_as_line(fault) + end.encode() for fault in faults)

    def line(self, header: Header, cells: Sequence[str]) -> bytes:
        """One row without its end; it may have more cells than the header has names."""
        opened = self._opened(header)
        return _quoted([*opened, *['"'] * (len(cells) - len(opened))], cells).encode("gb18030")

    def _opened(self, header: Header) -> list[str]:
        """What each cell of a row begins with."""
        return ['="' if name.strip() in self.guarded else '"' for name in header]


@dataclass(frozen=True)
class Book:
    """A workbook: lines above the header, and further sheets with the same header."""

    sheet: str
    kind: Literal["xlsx", "xls"] = "xlsx"
    above: Rows = ()
    others: Mapping[str, Rows] = field(default_factory=dict)
    """Rows of the further sheets, by the sheet's name."""

    def content(self, header: Header, rows: Rows, faults: Sequence[bytes | Sequence[Cell]]) -> bytes:
        """The file's bytes."""
        sheets: dict[str, Sheet] = {self.sheet: [*self.above, header, *rows, *(_as_cells(fault) for fault in faults)]}
        sheets.update({name: [*self.above, header, *more] for name, more in self.others.items()})
        return xls(sheets) if self.kind == "xls" else xlsx(sheets)


PLAIN = PlainText()


def names(text: str) -> Header:
    """The names of a header, as they stand in its line."""
    return tuple(text.split(","))


def _plain_text(rows: Rows) -> str:
    """Header and rows; joined plainly, which is faster, where the separators tell that no cell needs quotes."""
    plain = "\n".join(map(",".join, rows)) + "\n"
    separators = len(rows) * (len(rows[0]) - 1)
    if plain.count(",") == separators and plain.count("\n") == len(rows) and '"' not in plain:
        return plain
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _quoted(opened: Sequence[str], cells: Sequence[str]) -> str:
    if any('"' in cell for cell in cells):
        cells = [cell.replace('"', '""') for cell in cells]
    return ",".join([start + cell + '"' for start, cell in zip(opened, cells, strict=True)])


def _as_line(fault: bytes | Sequence[Cell]) -> bytes:
    assert isinstance(fault, bytes), "a fault of a text is a line"
    return fault


def _as_cells(fault: bytes | Sequence[Cell]) -> Sequence[Cell]:
    assert not isinstance(fault, bytes), "a fault of a workbook is a row of cells"
    return fault
