"""Which encoding is a text in, and the text in UTF-8, piece by piece."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal

Encoding = Literal["utf-8", "utf-8-sig", "gb18030", "utf-16-le", "utf-16-be", "windows-1252"]

UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS: dict[bytes, Encoding] = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}

_CHUNK_BYTES = 4 * 1024 * 1024
_WINDOW_BYTES = 256 * 1024
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_CHINESE = re.compile(rb"(?:[\xa1-\xf7][\xa1-\xfe])+")
"""Runs of the signs that Chinese texts are made of; they stand in pairs of high bytes."""
_HIGH = re.compile(rb"[\x80-\xff]+")
_LINE = re.compile(rb"[^\r\n]+")
_UNDEFINED_1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


def encoding_of(path: Path) -> Encoding | None:
    """The encoding of a text file; none where it is no text.

    Only its bytes are asked. A file in UTF-8 with a few broken lines is in UTF-8.
    """
    with path.open("rb") as stream:
        head = stream.read(_WINDOW_BYTES)
        if head.startswith(UTF8_MARK):
            return "utf-8-sig"
        if head[:2] in _UTF16_MARKS and len(head) % 2 == 0:
            return _UTF16_MARKS[head[:2]]
        if b"\x00" in head:
            return _utf16_without_mark(head)
        window = head if _BEYOND_ASCII.search(head) else _first_window_beyond_ascii(stream)
    return _eight_bit_encoding(window)


def mark_length(encoding: Encoding, head: bytes) -> int:
    """How many bytes at the beginning say the encoding and are no text."""
    if encoding == "utf-8-sig":
        return len(UTF8_MARK)
    return 2 if encoding.startswith("utf-16") and head[:2] in _UTF16_MARKS else 0


def read_as_utf8(path: Path, encoding: Encoding, *, limit: int | None = None) -> Iterator[bytes]:
    """A file's text in UTF-8, without byte-order mark, in pieces.

    Bytes that are none of the encoding stay as they are, so that the record that holds them is found to be broken,
    and no other.

    Args:
        path: the file.
        encoding: its encoding.
        limit: read no more than about this many bytes.
    """
    with path.open("rb") as stream:
        stream.seek(mark_length(encoding, stream.read(4)))
        if encoding in {"utf-8", "utf-8-sig"}:
            yield from _pieces(stream, limit)
            return
        errors = "surrogateescape" if encoding != "windows-1252" else "replace"
        if encoding.startswith("utf-16"):
            errors = "replace"
        decoder = codecs.getincrementaldecoder("cp1252" if encoding == "windows-1252" else encoding)(errors)
        for piece in _pieces(stream, limit):
            yield _encoded(decoder.decode(piece))
        if limit is None:
            yield _encoded(decoder.decode(b"", final=True))


def _pieces(stream: BinaryIO, limit: int | None) -> Iterator[bytes]:
    left = limit
    while piece := stream.read(_CHUNK_BYTES if left is None else min(left, _CHUNK_BYTES)):
        yield piece
        if left is not None:
            left -= len(piece)
            if left <= 0:
                return


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def _utf16_without_mark(head: bytes) -> Encoding | None:
    """Text of mostly ASCII has its zeros in every second place, and line ends that are line ends."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = max(len(head) // 2, 1)
    for zeros, others, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if zeros > half * 0.2 and others < half * 0.01:
            text = head[: len(head) // 2 * 2].decode(encoding, "replace")
            if "\ufffd" not in text[:-1] and text.isprintable() is False and "\x00" not in text:
                return "utf-16-le" if encoding == "utf-16-le" else "utf-16-be"
    return None


def _first_window_beyond_ascii(stream: BinaryIO) -> bytes:
    """A piece of the file around the first byte beyond ASCII: many lines may have none."""
    while piece := stream.read(_CHUNK_BYTES):
        if found := _BEYOND_ASCII.search(piece):
            start = max(piece.rfind(b"\n", 0, found.start()), 0)
            return piece[start : start + _WINDOW_BYTES] + (stream.read(_WINDOW_BYTES) if start else b"")
    return b""


def _eight_bit_encoding(window: bytes) -> Encoding:
    lines = _LINE.findall(window[: window.rfind(b"\n") + 1] or window)
    telling = [line for line in lines if _BEYOND_ASCII.search(line)]
    broken = sum(not _is_utf8(line) for line in telling)
    # By chance a short cell of another encoding is UTF-8, too: one sound line says no more than one broken line.
    if (not broken or broken * 2 < len(telling)) and broken * 10 <= max(len(lines), 10):
        return "utf-8"
    if telling and broken < len(telling) and _is_utf8(telling[0]) and broken * 2 <= len(lines):
        # The header is in UTF-8 and most lines are sound: single rows are broken, not the file.
        return "utf-8"
    text = b"\n".join(telling)
    high = sum(len(run) for run in _HIGH.findall(text))
    chinese = sum(len(run) for run in _CHINESE.findall(text))
    if chinese * 10 >= high * 7 or _UNDEFINED_1252.search(text):
        return "gb18030"
    return "windows-1252"


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
