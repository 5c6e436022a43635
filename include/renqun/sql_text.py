"""Names and texts as parts of an SQL statement, whatever they hold."""

from __future__ import annotations

from pathlib import Path


def identifier(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str | Path) -> str:
    """A text as an SQL literal, for the statements that take no parameter (`attach`, a view's files)."""
    return "'" + str(text).replace("'", "''") + "'"
