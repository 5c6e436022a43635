"""Workbooks as bytes, the same every time: `.xlsx`, and the older `.xls` that 生意参谋 still gives."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping, Sequence
from datetime import datetime

Cell = str | float
Sheet = Sequence[Sequence[Cell]]

_MADE = datetime(2020, 1, 1)
"""Workbooks say when they were made: always then, so that equal sheets are equal bytes."""
_SECTOR = 512
_ENTRIES_PER_SECTOR = _SECTOR // 4
_IN_HEADER = 109
"""So many sectors of the allocation table are listed in a compound file's header, enough for 7 MB."""
_SMALL_STREAM = 4096
_FREE, _END_OF_CHAIN, _IS_TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_VERSION, _BIFF8 = 0x0600, (0x0DBB, 0x07CC, 0, 6)


def xlsx(sheets: Mapping[str, Sheet]) -> bytes:
    """A workbook; empty cells are not written."""
    # Importing it costs little, but only workbooks need it.
    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.set_properties({"created": _MADE})
        for name, rows in sheets.items():
            page = book.add_worksheet(name)
            for place, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if isinstance(cell, str):
                        if cell:
                            page.write_string(place, column, cell)
                    else:
                        page.write_number(place, column, cell)
    return out.getvalue()


def xls(sheets: Mapping[str, Sheet]) -> bytes:
    """A workbook in BIFF8 inside a compound file; no library that is kept up writes them.

    Only what exports have: cells with texts and numbers, no styles.
    """
    pages = [_page(rows) for rows in sheets.values()]
    names = [struct.pack("<BB", len(name), 1) + name.encode("utf-16-le") for name in sheets]
    opening = _record(0x0809, struct.pack("<HHHHII", _VERSION, 0x0005, *_BIFF8))
    opening += _record(0x0042, struct.pack("<H", 1200))
    closing = _record(0x000A, b"")
    listed = sum(4 + 6 + len(name) for name in names)
    place = len(opening) + listed + len(closing)
    for name, page in zip(names, pages, strict=True):
        opening += _record(0x0085, struct.pack("<IBB", place, 0, 0) + name)
        place += len(page)
    return _compound_file("Workbook", opening + closing + b"".join(pages))


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _page(rows: Sheet) -> bytes:
    width = max((len(row) for row in rows), default=0)
    parts = [
        _record(0x0809, struct.pack("<HHHHII", _VERSION, 0x0010, *_BIFF8)),
        _record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, width, 0)),
    ]
    for place, row in enumerate(rows):
        parts += [_cell(place, column, cell) for column, cell in enumerate(row) if cell != ""]
    return b"".join([*parts, _record(0x000A, b"")])


def _cell(row: int, column: int, cell: Cell) -> bytes:
    place = struct.pack("<HHH", row, column, 0)
    if isinstance(cell, str):
        text = cell.encode("utf-16-le")
        return _record(0x0204, place + struct.pack("<HB", len(text) // 2, 1) + text)
    return _record(0x0203, place + struct.pack("<d", cell))


def _compound_file(name: str, stream: bytes) -> bytes:
    """A file system of one file. A stream under 4 KB would need a second kind of sectors, so it is filled up to it."""
    stream = stream.ljust(max(_SMALL_STREAM, -(-len(stream) // _SECTOR) * _SECTOR), b"\0")
    sectors = len(stream) // _SECTOR
    tables = 1
    while tables * _ENTRIES_PER_SECTOR < tables + 1 + sectors:
        tables += 1
    if tables > _IN_HEADER:
        raise ValueError(f"the workbook is too large for this writer: {len(stream)} bytes")
    folder_at, first = tables, tables + 1
    chain = [_IS_TABLE] * tables + [_END_OF_CHAIN, *range(first + 1, first + sectors), _END_OF_CHAIN]
    chain += [_FREE] * (tables * _ENTRIES_PER_SECTOR - len(chain))
    header = struct.pack("<8s16x5H6x", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x003E, 0x0003, 0xFFFE, 9, 6)
    header += struct.pack("<9I", 0, tables, folder_at, 0, _SMALL_STREAM, _END_OF_CHAIN, 0, _END_OF_CHAIN, 0)
    header += struct.pack(f"<{_IN_HEADER}I", *range(tables), *[_FREE] * (_IN_HEADER - tables))
    folder = _entry("Root Entry", 5, child=1, start=_END_OF_CHAIN, size=0) + _entry(name, 2, _FREE, first, len(stream))
    folder += _entry("", 0, _FREE, 0, 0) * 2
    return header + struct.pack(f"<{len(chain)}I", *chain) + folder + stream


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    encoded = (name + "\0").encode("utf-16-le") if name else b""
    return struct.pack("<64sHBBIII16xI8x8xIQ", encoded, len(encoded), kind, 1, _FREE, _FREE, child, 0, start, size)
