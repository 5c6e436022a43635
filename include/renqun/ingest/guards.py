"""Guards: the `=` of `="…"`, by which exports keep spreadsheets from harming long numbers."""

from __future__ import annotations

import re
from functools import cache


def without_guards(text: bytes, delimiter: str) -> bytes:
    """Text without the `=` of `="…"`.

    The guard stands outside of CSV's quoting, `="1"` and `=""`; a quote that follows it must open a field. What
    looks like a guard inside a longer text is left as it is.
    """
    if b'="' not in text:
        return text
    for pattern, replacement in _guards(delimiter):
        text = pattern.sub(replacement, text)
    return text


@cache
def _guards(delimiter: str) -> tuple[tuple[re.Pattern[bytes], bytes], ...]:
    mark = delimiter.encode()
    opens = rb'(?=[^"\r\n' + re.escape(mark) + rb']|"(?:[\r\n' + re.escape(mark) + rb"]|\Z))"
    # Each pattern begins with plain text, for which the engine searches fast.
    return (
        (re.compile(re.escape(mark) + rb'="' + opens), mark + b'"'),
        (re.compile(rb'\n="' + opens), b'\n"'),
        (re.compile(rb'\A="' + opens), b'"'),
    )
