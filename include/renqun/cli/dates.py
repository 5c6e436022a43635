"""Dates on the command line."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from renqun.run import parse_date


def day(text: str) -> date:
    """A date option's value.

    Raises:
        RequestError: it is no date.
    """
    return parse_date(text)


def optional_day(text: str | None) -> date | None:
    """The value of a date option that may be left out."""
    return None if text is None else parse_date(text)


DateOption = Annotated[str, typer.Option("--date", help="The business date, YYYY-MM-DD.", metavar="D")]
OptionalDateOption = Annotated[str | None, typer.Option("--date", help="The business date, YYYY-MM-DD.", metavar="D")]
