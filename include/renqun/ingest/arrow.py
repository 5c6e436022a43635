"""Tables (`renqun.ingest.views`) as a stream of Arrow record batches that DuckDB reads where they lie.

DuckDB asks for one table after the other, from any of its threads; each is given back when DuckDB is done with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from renqun.ingest.views import open_table

NUMBER = "source_row"
"""The column behind the cells (`c0 …`): a row's number, from 1, in all tables together."""


class Tables:
    """Some tables of one width, to be registered with DuckDB; every query reads them from the beginning."""

    def __init__(self, paths: Sequence[Path], offsets: Sequence[int], width: int) -> None:
        """Tables in their order, with how many rows stand before each."""
        self._paths, self._offsets, self._width = tuple(paths), tuple(offsets), width
        cells = [pa.field(f"c{place}", pa.string_view()) for place in range(width)]
        self._schema = pa.schema([*cells, pa.field(NUMBER, pa.int64(), nullable=False)])

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """A new stream, as Arrow's PyCapsule interface has it."""
        return pa.RecordBatchReader.from_batches(self._schema, self._batches()).__arrow_c_stream__(requested_schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for path, offset in zip(self._paths, self._offsets, strict=True):
            table = open_table(path)
            if len(table.columns) != self._width:
                raise ValueError(f"{path.name} has {len(table.columns)} columns")
            text = pa.py_buffer(table.text)
            cells = [
                pa.Array.from_buffers(pa.string_view(), table.rows, [None, pa.py_buffer(views), text], null_count=0)
                for views in table.columns
            ]
            numbers = pa.array(np.arange(offset + 1, offset + table.rows + 1, dtype=np.int64))
            yield pa.RecordBatch.from_arrays([*cells, numbers], schema=self._schema)
