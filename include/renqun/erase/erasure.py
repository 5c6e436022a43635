"""`renqun erase`: from a name to a proof. Killed anywhere, the same call goes on and ends what was begun.

Order: the journal (who is meant), tombstones (nobody comes back), recall files, raw, the drop folder, the warehouse,
what is published, verdicts and logs; then everything is searched again, and an object store follows. Only the journal
and the recall files name the person until the operator has said that the recalls were served; then they go, and
everything is searched once more.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from renqun.erase import audiences, marts, person, raw, texts, warehouse
from renqun.erase.search import Words
from renqun.erase.tally import Tallies
from renqun.errors import RequestError
from renqun.ingest.ledger import accepted_files, withdrawn_files
from renqun.ingest.refusals import ingesting
from renqun.lock import exclusive
from renqun.persons.identifiers import Identifiers
from renqun.persons.tombstones import Tombstones, keep_tombstones, load_tombstones, new_tombstones, tombstone_file
from renqun.publish.mirror import mirror_audiences
from renqun.settings import Home, Settings, Shop, ShopPaths
from renqun.storage import write_json_atomically

Status = Literal["proven", "recalls_to_serve", "files_to_take_in", "found_again", "planned"]


class Place(BaseModel):
    """One place that was looked at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    searched: int
    found: int
    removed: int
    files: int


class ErasureReport(BaseModel):
    """The proof: counts and a salted fingerprint, never a name. `quality/erasures/<fingerprint>.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["erasure"] = "erasure"
    schema_version: Literal[1] = 1
    shop_id: str
    fingerprint: str
    status: Status
    erased_at: datetime
    identifiers: dict[str, int]
    """How many identifiers of each kind were followed."""
    places: dict[str, Place]
    """What was looked at, found and removed, by place, over all calls."""
    left: dict[str, int]
    """What searching again found, by place: all zeros once it is proven."""
    versions: int
    """Published versions that were changed."""
    recalls: tuple[str, ...]
    """Recall files that wait for the operator, relative to the shop's folder."""
    recalls_served_by: str | None = None
    waiting: tuple[str, ...]
    """Files of the drop folder that name the person and were not taken in yet."""
    needs_build: bool
    """Whether the next run makes everything anew from raw."""


def erase(
    home: Home, shop: Shop, who: str, *, now: datetime, dry_run: bool = False, served_by: str | None = None
) -> ErasureReport:
    """Erase one person from everything that a shop keeps.

    Args:
        home: the home.
        shop: the shop.
        who: a customer id, a phone number, an e-mail address or a customer key.
        now: the moment, for the report.
        dry_run: only search, and say what would go.
        served_by: whoever says that the recall files were served everywhere; they and the journal go then.

    Raises:
        RequestError: nobody, or more than one customer, is meant.
        ShopBusy: another process works on the shop.
        TechnicalError: the object store that gets a copy cannot be reached; the same call goes on later.
    """
    paths = home.paths(shop.id)
    with _alone(paths):
        journal = _journal_of(paths, who)
        tombstones = load_tombstones(paths) or new_tombstones()
        found = _identify(paths, who, journal, tombstones)
        fingerprint = tombstones.fingerprint(found)
        words = Words(found)
        if dry_run:
            return _plan(home, paths, shop, words, fingerprint, now)
        _keep_journal(paths, fingerprint, found)
        keep_tombstones(paths, tombstones.with_person(found))
        report = _erase_everywhere(home, paths, shop, words, fingerprint, now, served_by)
        # Last of what is written, for it may fail: the journal is there still, so that the same call goes on.
        mirror_audiences(paths, shop, after_erasure=True)
        _keep_report(paths, report)
        if report.status == "proven":
            _journal_file(paths, fingerprint).unlink()
        return report


def report_of(paths: ShopPaths, fingerprint: str) -> ErasureReport | None:
    """What is kept of an erasure; None where there is none of that fingerprint."""
    file = _report_file(paths, fingerprint)
    return ErasureReport.model_validate_json(file.read_bytes()) if file.is_file() else None


def reports(paths: ShopPaths) -> list[ErasureReport]:
    """All erasures of a shop, oldest first."""
    files = sorted((paths.quality / "erasures").glob("*.json"))
    return sorted(
        (ErasureReport.model_validate_json(file.read_bytes()) for file in files),
        key=lambda one: (one.erased_at, one.fingerprint),
    )


@contextmanager
def _alone(paths: ShopPaths) -> Iterator[None]:
    purpose = "renqun erase"
    timeout = Settings().lock_timeout_seconds
    with (
        exclusive(paths.run_lock, purpose, timeout_seconds=timeout),
        exclusive(paths.writer_lock, purpose, timeout_seconds=timeout),
        ingesting(paths, purpose),
    ):
        yield


def _identify(paths: ShopPaths, who: str, journal: Identifiers | None, tombstones: Tombstones) -> Identifiers:
    known = person.of_warehouse(paths, who)
    begun = (known or Identifiers()) | (journal or Identifiers())
    found = person.of_raw(paths, person.named(who) if begun.is_empty() else begun)
    # A name that no warehouse knows may be anything: it counts where raw, or an earlier erasure, has met it.
    is_met = bool(found.order_id) or any(
        set(tombstones.hashes(found)) & set(hashes) for hashes in tombstones.erased.values()
    )
    if known is None and journal is None and not is_met and not _is_in_raw(paths, found):
        raise RequestError(
            "nobody is known by that name",
            where=str(paths.root),
            remedy="give a customer id as exported, a phone number, an e-mail address or a customer key;"
            " an erased person is known by none of them",
        )
    return found


def _is_in_raw(paths: ShopPaths, found: Identifiers) -> bool:
    words = Words(found)
    return any(words.count_in(file) for file in (*accepted_files(paths).values(), *withdrawn_files(paths).values()))


def _erase_everywhere(
    home: Home, paths: ShopPaths, shop: Shop, words: Words, fingerprint: str, now: datetime, served_by: str | None
) -> ErasureReport:
    tallies = _tallies_of_before(paths, fingerprint)
    before = report_of(paths, fingerprint)
    is_served = served_by is not None
    recalls = audiences.write_recalls(paths, words, fingerprint)
    lost = raw.erase_from_raw(paths, words.person, tallies)
    raw.erase_refused(paths, words, tallies)
    waiting = raw.erase_landing(paths, words, tallies)
    touched_from = min((record.ds for record in lost), default=None)
    is_new = _is_in_warehouse(paths, words)
    if is_new or (before is None and touched_from is not None):
        warehouse.erase_from_warehouse(paths, words, fingerprint, touched_from, tallies)
    versions = marts.erase_from_marts(paths, words, fingerprint, tallies)
    versions += audiences.erase_from_audiences(paths, shop.id, words, fingerprint, tallies)
    texts.erase_from_texts("quality", words, tallies, paths.quality)
    texts.erase_from_texts("logs", words, tallies, paths.warehouse_dir / "dbt", *log_folders(home))
    if is_served:
        audiences.remove_recalls(paths, fingerprint)
        recalls = []
    left = search_again(home, paths, words, fingerprint)
    status: Status = "found_again" if any(left.values()) else "proven"
    if recalls:
        status = "recalls_to_serve"
    elif waiting:
        status = "files_to_take_in"
    return ErasureReport(
        shop_id=shop.id,
        fingerprint=fingerprint,
        status=status,
        erased_at=now,
        identifiers=_counted(words.person),
        places={name: Place(**asdict(tally)) for name, tally in sorted(tallies.of.items())},
        left=left,
        versions=versions + (before.versions if before else 0),
        recalls=tuple(recalls),
        recalls_served_by=served_by or (before.recalls_served_by if before else None),
        waiting=tuple(waiting),
        needs_build=warehouse.needs_build(paths),
    )


def _plan(home: Home, paths: ShopPaths, shop: Shop, words: Words, fingerprint: str, now: datetime) -> ErasureReport:
    found = search_again(home, paths, words, fingerprint)
    return ErasureReport(
        shop_id=shop.id,
        fingerprint=fingerprint,
        status="planned",
        erased_at=now,
        identifiers=_counted(words.person),
        places={},
        left=found,
        versions=0,
        recalls=(),
        waiting=(),
        needs_build=bool(found.get("warehouse")),
    )


def search_again(home: Home, paths: ShopPaths, words: Words, fingerprint: str) -> dict[str, int]:
    """How often the person is named in each place; the journal, recall files and hashes of the erasure are left out."""
    own = {_journal_file(paths, fingerprint), tombstone_file(paths)}
    counted: dict[str, int] = {}
    for place, root in _places(home, paths).items():
        found = 0
        for file in sorted(root.rglob("*")) if root.is_dir() else ():
            is_recall = file.parent.name == fingerprint and file.parent.parent.name == audiences.RECALLS
            if file.is_file() and not file.is_symlink() and file not in own and not is_recall:
                found += words.count_in(file)
        counted[place] = found
    return counted


def log_folders(home: Home) -> list[Path]:
    """Where Airflow and the runs of `renqun run` write their lines."""
    return [home.airflow / "logs", home.airflow / "embedded" / "logs"]


def _places(home: Home, paths: ShopPaths) -> dict[str, Path]:
    published = paths.root / "published"
    found = {child.name: child for child in sorted(paths.root.iterdir()) if child.is_dir() and child != published}
    found |= {"published/marts": paths.published_marts, "published/audiences": paths.published_audiences}
    return {**found, "airflow": home.airflow}


def _is_in_warehouse(paths: ShopPaths, words: Words) -> bool:
    return paths.warehouse.exists() and words.count_in(paths.warehouse) > 0


def _tallies_of_before(paths: ShopPaths, fingerprint: str) -> Tallies:
    tallies = Tallies()
    before = report_of(paths, fingerprint)
    for name, place in (before.places if before else {}).items():
        # Files are looked at anew each time; what was found and removed adds up.
        tallies.note(name, found=place.found, removed=place.removed, files=place.files)
    return tallies


def _counted(found: Identifiers) -> dict[str, int]:
    return {kind: len(values) for kind, values in found.lists().items() if kind != "written"}


def _journal_folder(paths: ShopPaths) -> Path:
    return paths.warehouse_dir / "erasing"


def _journal_file(paths: ShopPaths, fingerprint: str) -> Path:
    return _journal_folder(paths) / f"{fingerprint}.json"


def _keep_journal(paths: ShopPaths, fingerprint: str, found: Identifiers) -> None:
    before = os.umask(0o077)
    try:
        write_json_atomically(_journal_file(paths, fingerprint), found.lists())
    finally:
        os.umask(before)


def _journal_of(paths: ShopPaths, who: str) -> Identifiers | None:
    """What an unfinished erasure of the same person had found out; its fingerprint names it as well."""
    asked = person.named(who)
    for file in sorted(_journal_folder(paths).glob("*.json")):
        known = Identifiers.of(json.loads(file.read_text(encoding="utf-8")))
        if file.stem == who or known.meets(asked):
            return known
    return None


def _report_file(paths: ShopPaths, fingerprint: str) -> Path:
    return paths.quality / "erasures" / f"{fingerprint}.json"


def _keep_report(paths: ShopPaths, report: ErasureReport) -> None:
    write_json_atomically(_report_file(paths, report.fingerprint), report.model_dump(mode="json"))
