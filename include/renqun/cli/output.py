"""What a command prints: tables for people, JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from renqun.storage import canonical_json

if TYPE_CHECKING:
    from rich.console import Console

_WIDTH_OF_FILES = 250

ShopOption = Annotated[str, typer.Option("--shop", help="The shop's id.", metavar="ID")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def console(*, stderr: bool = False) -> Console:
    """A console on the terminal as it is now; what is not read on a terminal is not folded."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, highlight=False, width=None if stream.isatty() else _WIDTH_OF_FILES)


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    sys.stdout.write(canonical_json(value))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows as a table; nothing (null) is shown as a dash."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        # As text: what somebody called an audience is no markup.
        table.add_row(*(Text("–" if cell is None else str(cell)) for cell in row))
    console().print(table)


def print_facts(facts: Mapping[str, Any]) -> None:
    """Print names and values, one a line."""
    width = max((len(name) for name in facts), default=0)
    for name, value in facts.items():
        print(f"{name:<{width}}  {'–' if value is None else value}")
