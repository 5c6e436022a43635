"""Facts about a column: what holds for every filled cell of it, found by looking at the bytes of many rows at once.

A fact spares the questions that SQL would ask of each cell. It is never more than sufficient: where it holds, a
cell is what `renqun.ingest.clean` would make of it anyway, or differs in the one way that the fact names. Where it does
not hold, every cell is asked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

Fact = Literal["filled", "clean", "whole_id", "apostrophe", "number", "yuan", "day", "time", "t_time"]
"""Of all filled cells of a column:

- `filled`: begins with a visible sign.
- `clean`: neither blanks nor guards around it, and no text that means "nothing".
- `whole_id`: no number that a spreadsheet has cut (1.71E+18) or written with a fraction (17.0).
- `apostrophe`: digits behind an apostrophe.
- `number`: digits, with or without decimals, few enough for the type that checks cast to; not negative.
- `yuan`: such a number with 元 behind it.
- `day`: a day in ISO 8601 from 2000 on, if it is one (2024-02-31 passes).
- `time`, `t_time`: such a day, alone or with its time behind a blank or a `T`.
"""
Facts = Mapping[int, frozenset[Fact]]
"""The facts about a file's columns, by their places."""
Look = Literal["nothing", "text", "id", "number", "time"]
"""Which facts are worth looking for in a column."""


@dataclass(frozen=True)
class Job:
    """Portions of one large text to write, and what its rows should be like."""

    path: str
    portions: tuple[tuple[int, int, str], ...]
    """Of each, its first byte, the one behind its last, and the file to write it to."""
    encoding: str
    delimiter: str
    looks: tuple[Look, ...]
    """What to look for in each column; as many as a row has cells."""
    has_guards: bool
    """Whether `="…"` is to be undone."""

    def as_json(self) -> str:
        """For the process that does it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Job:
        """What `as_json` has written."""
        said = json.loads(text)
        said["portions"] = tuple((begin, end, target) for begin, end, target in said["portions"])
        return cls(**{**said, "looks": tuple(said["looks"])})


@dataclass(frozen=True)
class Written:
    """What was written of one portion."""

    rows: int
    facts: tuple[tuple[Fact, ...], ...]
    """Of each column."""
