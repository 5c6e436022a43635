"""What kind of bytes is a file, and what is inside it if it is an archive. Names decide nothing, and no name from
inside an archive is ever used as a path."""

from __future__ import annotations

import errno
import gzip
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from renqun.ingest.engine import Workbench
from renqun.ingest.faults import FileRefused

BodyKind = Literal["text", "parquet", "xlsx", "xls", "jsonl"]

UNPACKED_LIMIT = 8 * 1024**3
"""No archive may unpack to more bytes than this."""
RATIO_LIMIT = 200
"""Exports pack to a tenth, repetitive ones to a fiftieth: what packs better than this is made to fill the disk."""
RATIO_COUNTS_FROM = 64 * 1024**2
"""A small file may pack as well as it likes."""
MEMBER_LIMIT = 200
WORKBOOK_LIMIT = 512 * 1024**2
"""A workbook is read in memory, which takes up to twice its unpacked bytes. This is 300,000 rows of 30 columns: more
than a platform writes into one."""

_CHUNK_BYTES = 1024 * 1024
_HEAD_BYTES = 64 * 1024
UTF8_MARK = b"\xef\xbb\xbf"

_JUNK = re.compile(r"(^|/)(__MACOSX/|\.[^./]|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)
"""What operating systems put into archives."""

_UNPACK = "unpack it and drop the files inside"
_EXPORT_AS_TABLE = "export the data as CSV or as an Excel workbook"
_FOREIGN_FORMATS: tuple[tuple[bytes, str, str], ...] = (
    (b"\xfd7zXZ", "an xz archive", _UNPACK),
    (b"BZh", "a bzip2 archive", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (b"7z\xbc\xaf", "a 7z archive", _UNPACK),
    (b"%PDF", "a PDF document", _EXPORT_AS_TABLE),
    (b"\x89PNG", "a picture", _EXPORT_AS_TABLE),
    (b"\xff\xd8\xff", "a picture", _EXPORT_AS_TABLE),
    (b"{\\rtf", "a text document (RTF)", _EXPORT_AS_TABLE),
    (b"SQLite format 3\x00", "a database", _EXPORT_AS_TABLE),
)
_EMPTY = ("the file is empty", "export it again; if the day has no data, remove the file and run 'renqun close-day'")
_ARCHIVE_FAULTS = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, OSError, NotImplementedError,
    RuntimeError, ValueError, IndexError, KeyError, OverflowError, MemoryError,
)  # fmt: skip
"""What Python's archive readers raise at damaged or hostile bytes."""


@dataclass(frozen=True)
class Body:
    """One file, out of its archive."""

    path: Path
    kind: BodyKind
    name: str
    """Its name, for messages and for the date that a platform writes into it."""


def open_bodies(bench: Workbench, path: Path, where: str) -> tuple[Body, ...]:
    """The file itself or, if it is an archive, the files inside.

    Args:
        bench: what is unpacked lies in its folder.
        path: the file.
        where: the file's place, for messages.

    Raises:
        FileRefused: it is of a format that cannot be read, or an archive that is damaged, locked or a trap.
    """
    name = Path(where).name
    head = _head(path)
    if head.startswith(b"\x1f\x8b"):
        inner = bench.folder / "unpacked.gz"
        _unpack_gzip(path, inner, where)
        head, path = _head(inner), inner
        if head.startswith(b"\x1f\x8b") or head[257:262] == b"ustar":
            raise FileRefused("this is an archive inside an archive", where=where, remedy=_UNPACK)
        name = name.removesuffix(".gz")
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_bodies(bench, path, name, where)
    return (Body(path, kind_of(head, where), name),)


def kind_of(head: bytes, where: str) -> BodyKind:
    """What a file's first bytes say it is; archives are not expected any more.

    Raises:
        FileRefused: it is nothing that can be read.
    """
    text = head.removeprefix(UTF8_MARK).lstrip()
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return "xls"
    if not text:
        raise FileRefused(_EMPTY[0], where=where, remedy=_EMPTY[1])
    if text.startswith(b"<") or head.replace(b"\x00", b"")[:3].lstrip(b"\xff\xfe").startswith(b"<"):
        raise FileRefused(
            "this is a web page (HTML or XML), whatever its name says; it holds no table that can be trusted",
            where=where,
            remedy="log in to the platform and export again; if it opens in a spreadsheet program, save it there as "
            "'CSV UTF-8' and drop that file instead",
        )
    for magic, called, remedy in _FOREIGN_FORMATS:
        if head.startswith(magic):
            raise FileRefused(f"this is {called}", where=where, remedy=remedy)
    if re.match(rb'\{\s*("|\}|\Z)', text):
        return "jsonl"
    if re.match(rb"\[\s*\{", text):
        raise FileRefused(
            "this is one JSON list, not JSON lines", where=where, remedy="export it with one JSON object a line"
        )
    return "text"


def _zip_bodies(bench: Workbench, path: Path, name: str, where: str) -> tuple[Body, ...]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            inside = {member.filename for member in members}
            if "[Content_Types].xml" in inside and any(entry.startswith("xl/") for entry in inside):
                _refuse_swollen_workbook(archive, path, where)
                return (Body(path, "xlsx", name),)
            return tuple(_unpack_zip(bench, archive, _wanted(members, where), where))
    except _ARCHIVE_FAULTS as error:
        _raise_if_not_the_archives_fault(error)
        raise FileRefused(
            "the zip archive or Excel workbook is damaged or cut off",
            where=where,
            remedy="export or copy it again; such a file is only readable when complete",
        ) from error


def _wanted(members: list[zipfile.ZipInfo], where: str) -> list[zipfile.ZipInfo]:
    wanted = [member for member in members if not member.is_dir() and not _JUNK.search(member.filename)]
    if not wanted:
        raise FileRefused("the zip archive holds no file", where=where, remedy="drop the export itself")
    if len(wanted) > MEMBER_LIMIT:
        raise FileRefused(
            f"the zip archive holds {len(wanted)} files, more than {MEMBER_LIMIT}", where=where, remedy=_UNPACK
        )
    for member in wanted:
        parts = re.split(r"[/\\]", member.filename)
        if ".." in parts or parts[0] == "" or re.match(r"[A-Za-z]:", member.filename) or (
            member.external_attr >> 16 & 0o170000 == 0o120000
        ):  # fmt: skip
            raise FileRefused(
                "the zip archive holds a path or a link that leads out of it: no export does",
                where=where,
                remedy="find out where the file comes from; drop the export as the platform made it",
            )
        if member.flag_bits & 0x1:
            raise FileRefused("the zip archive is locked with a password", where=where, remedy=_UNPACK)
    return wanted


def _unpack_zip(
    bench: Workbench, archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], where: str
) -> Iterator[Body]:
    total = 0
    for place, member in enumerate(sorted(members, key=lambda member: member.filename)):
        target = bench.folder / f"unpacked-{place}"
        with archive.open(member) as stream:
            total = _copy_within_limits(stream, target, member.compress_size, total, where)
        head = _head(target)
        inner = f"{where} ({member_name(member)})"
        if head.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(target) as nested:
                if "[Content_Types].xml" not in nested.namelist():
                    raise FileRefused("this is an archive inside an archive", where=inner, remedy=_UNPACK)
                _refuse_swollen_workbook(nested, target, inner)
            yield Body(target, "xlsx", member_name(member))
            continue
        if head.startswith(b"\x1f\x8b"):
            raise FileRefused("this is an archive inside an archive", where=inner, remedy=_UNPACK)
        yield Body(target, kind_of(head, inner), member_name(member))


def member_name(member: zipfile.ZipInfo) -> str:
    """A member's own name, without folders; Chinese systems write it in their own encoding without saying so."""
    name = member.filename
    if not member.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("gb18030")
        except UnicodeError:
            name = member.filename
    return "".join(sign for sign in re.split(r"[/\\]", name)[-1] if sign.isprintable())[:120]


def _unpack_gzip(path: Path, target: Path, where: str) -> None:
    try:
        with gzip.open(path) as stream:
            _copy_within_limits(stream, target, path.stat().st_size, 0, where)
    except _ARCHIVE_FAULTS as error:
        _raise_if_not_the_archives_fault(error)
        raise FileRefused(
            "the gzip archive is damaged or cut off", where=where, remedy="export or copy it again"
        ) from error


def _raise_if_not_the_archives_fault(error: Exception) -> None:
    """A full disk and a file that has gone are errors of the system; a damaged archive has none, or leads nowhere."""
    if isinstance(error, OSError) and error.errno not in {None, errno.EINVAL}:
        raise error


def _copy_within_limits(stream: IO[bytes] | gzip.GzipFile, target: Path, packed: int, total: int, where: str) -> int:
    """Copy what is unpacked; counted as it comes, since what an archive says of its sizes may be a lie."""
    written = 0
    with target.open("wb") as out:
        while chunk := stream.read(_CHUNK_BYTES):
            written += len(chunk)
            _refuse_bomb(written, packed, total + written, where)
            out.write(chunk)
    return total + written


def _refuse_bomb(written: int, packed: int, total: int, where: str) -> None:
    if total > UNPACKED_LIMIT or (written > RATIO_COUNTS_FROM and written > RATIO_LIMIT * max(packed, 1)):
        raise FileRefused(
            f"the archive unpacks to far more than an export holds: {total // 1024**2:,} MiB so far",
            where=where,
            remedy="if this is a real export, unpack it and drop the file inside; split it if it is larger than 8 GiB",
        )


def _refuse_swollen_workbook(archive: zipfile.ZipFile, path: Path, where: str) -> None:
    """A workbook is an archive too; it is read whole, so that its true sizes are found out first."""
    total = 0
    for member in archive.infolist():
        if member.flag_bits & 0x1:
            raise FileRefused(
                "the Excel workbook is locked with a password", where=where, remedy="save it without a password"
            )
        if not re.search(r"\.(xml|bin)$", member.filename):
            continue
        written = 0
        with archive.open(member) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                written += len(chunk)
                _refuse_bomb(written, member.compress_size, total + written, where)
                if total + written > WORKBOOK_LIMIT:
                    raise FileRefused(
                        f"the Excel workbook is too large to be read: more than {WORKBOOK_LIMIT // 1024**2:,} MiB "
                        "unpacked",
                        where=where,
                        remedy="export fewer days at once, or export as CSV",
                    )
        total += written


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_HEAD_BYTES)
