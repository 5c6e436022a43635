"""Tables (`renqun.ingest.views`) as a stream that DuckDB reads where they lie, by Arrow's C interface.

DuckDB asks for one table after the other, from any of its threads, and says when it is done with each; its memory is
given back then. The structures are those of https://arrow.apache.org/docs/format/CDataInterface.html.
"""

from __future__ import annotations

import ctypes
import errno
from collections.abc import Sequence
from ctypes import CFUNCTYPE, POINTER, byref, c_char_p, c_int, c_int64, c_void_p
from pathlib import Path
from typing import Any

import numpy as np

from renqun.ingest.views import open_table

NUMBER = "source_row"
"""The column behind the cells (`c0 …`): a row's number, from 1, in all tables together."""


class _Schema(ctypes.Structure):
    pass


class _Array(ctypes.Structure):
    pass


class _Stream(ctypes.Structure):
    pass


_ReleaseSchema = CFUNCTYPE(None, POINTER(_Schema))
_ReleaseArray = CFUNCTYPE(None, POINTER(_Array))
_ReleaseStream = CFUNCTYPE(None, POINTER(_Stream))
_GetSchema = CFUNCTYPE(c_int, POINTER(_Stream), POINTER(_Schema))
_GetNext = CFUNCTYPE(c_int, POINTER(_Stream), POINTER(_Array))
_GetError = CFUNCTYPE(c_void_p, POINTER(_Stream))

_Schema._fields_ = [
    ("format", c_char_p),
    ("name", c_char_p),
    ("metadata", c_char_p),
    ("flags", c_int64),
    ("n_children", c_int64),
    ("children", POINTER(POINTER(_Schema))),
    ("dictionary", c_void_p),
    ("release", _ReleaseSchema),
    ("private_data", c_void_p),
]
_Array._fields_ = [
    ("length", c_int64),
    ("null_count", c_int64),
    ("offset", c_int64),
    ("n_buffers", c_int64),
    ("n_children", c_int64),
    ("buffers", POINTER(c_void_p)),
    ("children", POINTER(POINTER(_Array))),
    ("dictionary", c_void_p),
    ("release", _ReleaseArray),
    ("private_data", c_void_p),
]
_Stream._fields_ = [
    ("get_schema", _GetSchema),
    ("get_next", _GetNext),
    ("get_last_error", _GetError),
    ("release", _ReleaseStream),
    ("private_data", c_void_p),
]


class Tables:
    """Some tables of one width, to be registered with DuckDB; every query reads them from the beginning."""

    def __init__(self, paths: Sequence[Path], offsets: Sequence[int], width: int) -> None:
        """Tables in their order, with how many rows stand before each."""
        self._paths, self._offsets, self._width = tuple(paths), tuple(offsets), width
        # What C code refers to is kept here: streams as long as the object, tables until they are released.
        self._streams: list[Any] = []
        self._lent: dict[int, Any] = {}
        self._count = 0
        self._forget_array = _ReleaseArray(self._released)
        self._forget_child = _ReleaseArray(_end)
        self._forget_schema = _ReleaseSchema(_end)
        self._forget_stream = _ReleaseStream(_end)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """A capsule with a new stream."""
        places = iter(range(len(self._paths)))
        error = ctypes.create_string_buffer(1000)

        def get_schema(_: Any, out: Any) -> int:
            self._fill_schema(out[0])
            return 0

        def get_next(_: Any, out: Any) -> int:
            # DuckDB lets one thread at a time in.
            place = next(places, None)
            try:
                if place is None:
                    ctypes.memset(out, 0, ctypes.sizeof(_Array))
                else:
                    self._lend(place, out[0])
            except (OSError, ValueError, MemoryError) as failure:
                error.value = f"a portion of the file cannot be read: {failure}".encode()[:999]
                return errno.EIO
            return 0

        def get_last_error(_: Any) -> int:
            return ctypes.addressof(error)

        stream = _Stream(_GetSchema(get_schema), _GetNext(get_next), _GetError(get_last_error), self._forget_stream)
        self._streams.append((stream, error))
        new = ctypes.pythonapi.PyCapsule_New
        new.restype, new.argtypes = ctypes.py_object, [c_void_p, c_char_p, c_void_p]
        capsule: object = new(ctypes.addressof(stream), b"arrow_array_stream", None)
        return capsule

    def _fill_schema(self, schema: _Schema) -> None:
        fields = [
            _Schema(b"vu", b"c%d" % place, None, 2, 0, None, None, self._forget_schema) for place in range(self._width)
        ]
        fields.append(_Schema(b"l", NUMBER.encode(), None, 0, 0, None, None, self._forget_schema))
        children = _pointers_to(fields, _Schema)
        made = _Schema(b"+s", b"", None, 0, len(fields), children, None, self._forget_schema)
        self._streams.append((fields, children, made))
        ctypes.memmove(byref(schema), byref(made), ctypes.sizeof(_Schema))

    def _lend(self, place: int, array: _Array) -> None:
        table = open_table(self._paths[place])
        if len(table.columns) != self._width:
            raise ValueError(f"{self._paths[place].name} has {len(table.columns)} columns")
        numbers = np.arange(self._offsets[place] + 1, self._offsets[place] + table.rows + 1, dtype=np.int64)
        text_length = np.array([len(table.text)], dtype=np.int64)
        buffers = [
            _addresses(None, column.ctypes.data, table.text.ctypes.data, text_length.ctypes.data)
            for column in table.columns
        ]
        buffers.append(_addresses(None, numbers.ctypes.data))
        cells = [_Array(table.rows, 0, 0, len(held), 0, held, None, None, self._forget_child) for held in buffers]
        children = _pointers_to(cells, _Array)
        self._count += 1
        whole = _addresses(None)
        made = _Array(table.rows, 0, 0, 1, len(cells), whole, children, None, self._forget_array, self._count)
        self._lent[self._count] = (table, numbers, text_length, buffers, cells, children, whole, made)
        ctypes.memmove(byref(array), byref(made), ctypes.sizeof(_Array))

    def _released(self, array: Any) -> None:
        self._lent.pop(array[0].private_data, None)
        _end(array)


def _end(structure: Any) -> None:
    """Mark a structure as released: its memory is Python's."""
    ctypes.memset(ctypes.addressof(structure[0]) + type(structure[0]).release.offset, 0, ctypes.sizeof(c_void_p))


def _pointers_to(structures: Sequence[Any], kind: Any) -> Any:
    return (POINTER(kind) * len(structures))(*(ctypes.pointer(one) for one in structures))


def _addresses(*addresses: int | None) -> Any:
    return (c_void_p * len(addresses))(*addresses)
