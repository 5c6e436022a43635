"""Excel workbooks, old and new: their sheets as rows of text.

A formula is what it was when the workbook was saved; a text that looks like one is a text.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from renqun.ingest.faults import FileRefused

HEAD_ROWS = 40
_EXACT_UNTIL = 2**53
"""A spreadsheet holds numbers as floating point: a longer whole number has lost digits."""
_SHORT = 16
"""A number written in fewer signs has no noise in it."""
_KEPT_NUMBERS = 50_000
_DIGITS = ".15g"
"""Spreadsheets show and guarantee fifteen digits; what a float has beyond is noise (12.299999999999999)."""


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook, in memory."""

    name: str
    content: Any
    """The sheet as python-calamine has it."""

    def rows(self) -> Iterator[list[str]]:
        """The rows as text; rows with nothing on them too."""
        for row in self.content.iter_rows():
            yield [cell if type(cell) is str else cell_text(cell) for cell in row]

    def head(self) -> list[list[str]]:
        """The first rows."""
        return list(islice(self.rows(), HEAD_ROWS))


def open_sheets(path: Path, where: str) -> tuple[Sheet, ...]:
    """The sheets of a workbook that hold anything.

    Raises:
        FileRefused: it is locked, damaged or no workbook.
    """
    # Importing it costs little, but nothing else needs it.
    from python_calamine import CalamineWorkbook, PasswordError

    try:
        workbook = CalamineWorkbook.from_path(str(path))
        sheets = [Sheet(name, workbook.get_sheet_by_name(name)) for name in workbook.sheet_names]
        return tuple(sheet for sheet in sheets if sheet.content.height)
    except PasswordError as error:
        raise FileRefused(
            "the Excel workbook is locked with a password", where=where, remedy="save it without a password"
        ) from error
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        # The reader is compiled: at bytes that it did not expect, it panics, and that is no `Exception`.
        if isinstance(error, FileNotFoundError | MemoryError) or not _is_the_readers(error):
            raise
        raise FileRefused(
            "this is an Excel workbook (or another Office document) that cannot be read: it is damaged or cut off",
            where=where,
            remedy="export or copy it again; if it opens in a spreadsheet program, save it as 'CSV UTF-8' there",
        ) from error


def _is_the_readers(error: BaseException) -> bool:
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


def rows_as_csv(sheet: Sheet, skip: int, width: int) -> Iterator[str]:
    """A sheet's rows as lines of CSV, each as wide as the header; rows with nothing on them are no rows.

    Args:
        sheet: the sheet.
        skip: how many rows to leave out at the beginning: the header and what is above it.
        width: the number of the header's columns. What stands beside them is kept: such a row is ragged.
    """
    written = csv.writer(_Line(), lineterminator="\n").writerow
    numbers = _NumberTexts()
    for row in islice(sheet.content.iter_rows(), skip, None):
        # Most cells are texts and numbers: the question what else they might be is asked of the others only.
        cells = [
            cell if (kind := type(cell)) is str else numbers[cell] if kind is float else cell_text(cell) for cell in row
        ]
        if not any(cells):
            continue
        if len(cells) != width:
            beyond = cells[width:]
            if not any(beyond):
                cells = cells[:width] + [""] * (width - len(cells))
        # A line without signs of CSV's own needs no writer that looks into every cell for them.
        line = ",".join(cells)
        is_simple = line.count(",") == len(cells) - 1 and '"' not in line and "\n" not in line and "\r" not in line
        yield line + "\n" if is_simple and len(cells) > 1 else written(cells)


class _Line:
    """What a CSV writer writes to: it returns the line to who asked for it."""

    def write(self, line: str) -> str:
        return line


class _NumberTexts(dict[float, str]):
    """The texts of the numbers met: most columns of a sheet hold the same few over and over."""

    def __missing__(self, number: float) -> str:
        if len(self) >= _KEPT_NUMBERS:
            self.clear()
        text = self[number] = _number_text(number)
        return text


def cell_text(cell: Any) -> str:
    """A typed cell as an export would write it; `1.71E+18` for a whole number that has lost its last digits."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return _number_text(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="microseconds" if cell.microsecond else "seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(int(cell.total_seconds()))
    return "" if cell is None else str(cell)


def _number_text(number: float) -> str:
    if number.is_integer():
        return str(int(number)) if abs(number) < _EXACT_UNTIL else f"{number:.6E}"
    text = repr(number)
    if len(text) < _SHORT and "e" not in text:
        return text
    if not math.isfinite(number):
        return text
    text = format(number, _DIGITS)
    return format(Decimal(text), "f") if "e" in text else text
