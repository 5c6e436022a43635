"""What platforms say of uploaded files: receipts, kept beside the versions that they are about, which never change.

A receipt is a line of a CSV file or an object of a JSON list: audience, version, destination, which list, how many rows
the platform counted as uploaded, how many of them it matched with people it knows, and on which date it said so.
"""

from __future__ import annotations

import csv
import io
import json
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from renqun.errors import RequestError, TechnicalError
from renqun.lock import exclusive
from renqun.publish.history import AudienceFolder, AudienceVersion
from renqun.publish.manifest import Delivery, to_text
from renqun.settings import Home, Settings, ShopPaths
from renqun.storage import write_text_atomically

RECEIPTS_FOLDER = "receipts"
_LARGEST_FILE = 16 * 1024 * 1024
_REMEDY = "correct the file and read it again: nothing of it was kept"

ListName = Literal["full", "append", "reduce"]


def _whole(value: Any) -> Any:
    """A number as a CSV file has it: digits only, so that `1e3`, `12.0` and `１２` are none."""
    if isinstance(value, str):
        if not (value.isascii() and value.isdigit()):
            raise ValueError("give a whole number in digits")
        return int(value)
    if isinstance(value, bool):
        raise ValueError("give a whole number in digits")
    return value


Count = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=10**12, strict=True)]


class Receipt(BaseModel):
    """What a platform said of a list on a date; kept as `receipts/<version>/<destination>-<list>-<date>.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    audience: str = Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")
    version: str = Field(pattern=r"^[0-9a-f]{16}$")
    destination: str = Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")
    list: ListName = "full"
    """Which of the destination's lists was uploaded."""
    uploaded: Count
    """Rows that the platform counted."""
    matched: Count
    """Those of them that it matched with people it knows."""
    told_on: date
    """The date on which it said so. A match grows for a day or two: a later date is a further receipt."""

    @model_validator(mode="after")
    def _can_be(self) -> Receipt:
        if self.matched > self.uploaded:
            raise ValueError(f"{self.matched} matched of {self.uploaded} uploaded cannot be")
        return self


@dataclass(frozen=True)
class MatchRate:
    """The newest receipt of a list beside what the version gave."""

    audience_id: str
    as_of: date
    version: str
    destination: str
    list: ListName
    delivered: int
    """Rows of the list in the version."""
    uploaded: int
    matched: int
    told_on: date
    receipts: int
    """How many there are of this list."""

    @property
    def rate(self) -> Decimal | None:
        """Matched of uploaded rows, with four decimals; None where nothing was uploaded."""
        return (Decimal(self.matched) / self.uploaded).quantize(Decimal("0.0001")) if self.uploaded else None


@dataclass(frozen=True)
class ReceiptReport:
    """What became of a file of receipts."""

    kept: tuple[Receipt, ...]
    known: int
    """Receipts that were kept before, word for word."""


def keep_receipts(home: Home, shop_id: str, file: Path) -> ReceiptReport:
    """Read a file of receipts and keep each of them; all or none.

    Reading a file twice changes nothing. What was kept is never changed: a platform that corrects itself does so under
    a later date.

    Args:
        home: the home.
        shop_id: the shop.
        file: CSV with a header, or JSON (one object, or a list of them), UTF-8.

    Raises:
        RequestError: the file cannot be read, a receipt is about something that was not published, says what cannot
            be, or contradicts one that was kept.
    """
    receipts = list(_read(file))
    if not receipts:
        raise RequestError("the file holds no receipt", where=str(file), remedy=_REMEDY)
    paths = home.paths(shop_id)
    with exclusive(paths.writer_lock, "keep receipts", timeout_seconds=Settings().lock_timeout_seconds):
        new: dict[Path, Receipt] = {}
        known = 0
        for place, receipt in receipts:
            _require_possible(paths, receipt, place)
            target = _file_of(paths, receipt)
            before = new.get(target) or _kept(target)
            if before is None:
                new[target] = receipt
            elif before == receipt:
                known += 1
            else:
                raise RequestError(
                    f"a receipt of {receipt.told_on} says {before.matched} of {before.uploaded},"
                    f" this one {receipt.matched} of {receipt.uploaded}",
                    where=place,
                    remedy="what was kept stays; a correction is a receipt of a later date (told_on)",
                )
        for target, receipt in new.items():
            write_text_atomically(target, to_text(receipt))
            target.chmod(stat.S_IMODE(target.stat().st_mode) & ~0o222)
    return ReceiptReport(tuple(new.values()), known)


def match_rates(paths: ShopPaths, audience_id: str | None = None) -> list[MatchRate]:
    """The newest receipt of every list of every version, oldest business date first.

    Args:
        paths: the shop's folders.
        audience_id: of one audience only.
    """
    root = paths.published_audiences
    audiences = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    rates: list[MatchRate] = []
    for folder in audiences:
        if audience_id in (None, folder.name) and (folder / RECEIPTS_FOLDER).is_dir():
            for version in AudienceFolder(folder).versions():
                rates.extend(_rates_of(folder, version))
    return rates


def latest_rates(rates: Sequence[MatchRate]) -> dict[str, MatchRate]:
    """By destination the rate of the newest version whose whole list has a receipt.

    Args:
        rates: of one audience, in order.
    """
    return {one.destination: one for one in rates if one.list == "full"}


def _rates_of(folder: Path, version: AudienceVersion) -> Iterator[MatchRate]:
    found: dict[tuple[str, ListName], list[Receipt]] = {}
    for file in sorted((folder / RECEIPTS_FOLDER / version.version).glob("*.json")):
        receipt = _kept(file)
        if receipt is not None:
            found.setdefault((receipt.destination, receipt.list), []).append(receipt)
    for (destination, name), receipts in sorted(found.items()):
        newest = max(receipts, key=lambda one: one.told_on)
        delivery = version.manifest.deliveries.get(destination)
        if delivery is None:
            raise _damaged(folder / RECEIPTS_FOLDER / version.version)
        yield MatchRate(
            audience_id=version.manifest.audience_id,
            as_of=version.manifest.as_of,
            version=version.version,
            destination=destination,
            list=name,
            delivered=_rows(delivery, name),
            uploaded=newest.uploaded,
            matched=newest.matched,
            told_on=newest.told_on,
            receipts=len(receipts),
        )


def _require_possible(paths: ShopPaths, receipt: Receipt, place: str) -> None:
    def refuse(what: str, remedy: str = _REMEDY) -> RequestError:
        return RequestError(what, where=place, remedy=remedy)

    folder = AudienceFolder.of(paths, receipt.audience)
    version = next((one for one in folder.versions() if one.version == receipt.version), None)
    if version is None:
        raise refuse(
            f"the audience {receipt.audience!r} has no version {receipt.version}",
            "'renqun audience list' shows the versions; nothing of the file was kept",
        )
    delivery = version.manifest.deliveries.get(receipt.destination)
    if delivery is None or not _files(delivery, receipt.list):
        raise refuse(f"version {receipt.version} gave {receipt.destination} no list {receipt.list!r}")
    if receipt.uploaded > _rows(delivery, receipt.list):
        raise refuse(
            f"{receipt.uploaded} rows uploaded to {receipt.destination}, but the list has"
            f" {_rows(delivery, receipt.list)}: it is another list's receipt"
        )
    if receipt.told_on < version.manifest.as_of:
        raise refuse(f"told on {receipt.told_on}, before the business date {version.manifest.as_of} of the version")


def _files(delivery: Delivery, name: ListName) -> tuple[str, ...]:
    return {"full": delivery.full, "append": delivery.append, "reduce": delivery.reduce}[name]


def _rows(delivery: Delivery, name: ListName) -> int:
    return {"full": delivery.rows, "append": delivery.appended, "reduce": delivery.reduced}[name]


def _file_of(paths: ShopPaths, receipt: Receipt) -> Path:
    folder = paths.published_audiences / receipt.audience / RECEIPTS_FOLDER / receipt.version
    return folder / f"{receipt.destination}-{receipt.list}-{receipt.told_on}.json"


def _kept(file: Path) -> Receipt | None:
    if not file.is_file():
        return None
    try:
        return Receipt.model_validate_json(file.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as error:
        raise _damaged(file) from error


def _damaged(place: Path) -> TechnicalError:
    return TechnicalError(
        "a receipt that was kept cannot be read, or fits no version",
        where=str(place),
        remedy="put it back from a backup, or remove it and read the platform's file again",
    )


def _read(file: Path) -> Iterator[tuple[str, Receipt]]:
    """Each receipt of a file, and where it stands."""
    try:
        if file.stat().st_size > _LARGEST_FILE:
            raise RequestError("the file is larger than any file of receipts", where=str(file), remedy=_REMEDY)
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"the file cannot be read: {error}", where=str(file), remedy=_REMEDY) from error
    for place, row in _rows_of_json(file, text) if file.suffix.lower() == ".json" else _rows_of_csv(file, text):
        try:
            yield place, Receipt.model_validate(row)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(step) for step in first["loc"])
            raise RequestError(
                f"{field}: {first['msg']}" if field else first["msg"], where=place, remedy=_REMEDY
            ) from error


def _rows_of_csv(file: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        if len(set(header)) != len(header):
            raise RequestError("a column is given twice", where=str(file), remedy=_REMEDY)
        for cells in reader:
            place = f"{file}, line {reader.line_num}"
            if not cells:
                continue
            if len(cells) != len(header):
                raise RequestError(f"{len(cells)} cells, {len(header)} columns", where=place, remedy=_REMEDY)
            yield place, {name: cell for name, cell in zip(header, cells, strict=True) if name != "list" or cell}
    except csv.Error as error:
        raise RequestError(f"it is no CSV: {error}", where=str(file), remedy=_REMEDY) from error


def _rows_of_json(file: Path, text: str) -> Iterator[tuple[str, Any]]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"it is no JSON: {error}", where=str(file), remedy=_REMEDY) from error
    for number, row in enumerate(content if isinstance(content, list) else [content], start=1):
        yield f"{file}, entry {number}", row
