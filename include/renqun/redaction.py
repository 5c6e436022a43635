"""Text without personal data: what is logged or told may quote a cell, and a cell may hold somebody's phone."""

from __future__ import annotations

import re

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
# At least nine digits, in groups at most; neither a date nor part of a hash, a version or an address of memory.
_DIGITS = re.compile(r"(?<![\w.-])\+?(?!\d{4}-\d\d-\d\d(?!\d))\d(?:[ -]?\d){8,19}(?![\w])")
# What engines quote when a value does not fit: the value itself, or the whole line of a file.
_QUOTED = re.compile(
    r"""(?ix) \b (string | value | key | field\ format | near) (\s*:?\s*) (?: "[^"\n]*" | '[^'\n]*' )"""
)
_LINE_OF_A_FILE = re.compile(r"(?i)\b(original line|duplicate key|failing row contains)\b[: ]*[^\n]*")


def redact(text: str) -> str:
    """The text with e-mail addresses, numbers as long as a phone's, and quoted values masked.

    Order ids of nine digits and more are masked too: they lead to a person. Dates, hashes, paths and counts below a
    hundred million stay.
    """
    text = _LINE_OF_A_FILE.sub(r"\1: [masked]", text)
    text = _QUOTED.sub(r"\1\2'[masked]'", text)
    text = _EMAIL.sub("[masked]", text)
    return _DIGITS.sub("[masked]", text)
