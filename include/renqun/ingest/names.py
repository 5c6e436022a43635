"""Names in headers: what counts as the same name."""

from __future__ import annotations

import re
import unicodedata

_INVISIBLE = re.compile("[\ufeff\u200b-\u200f\u2060\x00-\x1f\x7f]+")
"""Byte-order marks, zero-width signs and control characters, tabs among them."""
_BLANKS = re.compile(r"\s+")

CURRENCY_SLOT = "{currency}"
"""Stands in an accepted name for the currency that a platform writes into its header: `Amount spent ({currency})`."""
_CURRENCY = r"(?P<currency>[a-z]{3})"


def tidied(name: str) -> str:
    """A name as a person reads it: half-width, without blanks around it and without invisible characters."""
    return _BLANKS.sub(" ", _INVISIBLE.sub(" ", unicodedata.normalize("NFKC", name))).strip().strip("'\"").strip()


def folded(name: str) -> str:
    """Equal for names that are the same to a person, whatever their blanks, width and case."""
    return tidied(name).casefold()


def slot_pattern(name: str) -> re.Pattern[str]:
    """Matches the folded names that an accepted name with a `{currency}` stands for."""
    before, _, after = folded(name).partition(CURRENCY_SLOT)
    return re.compile(re.escape(before) + _CURRENCY + re.escape(after))
