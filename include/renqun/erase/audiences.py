"""Published audiences without a person, and recall files for every destination that was ever given them.

The recall files come first: what a platform was given, nobody takes back there by removing it here.
"""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import UTC
from pathlib import Path

import duckdb

from renqun.erase.marts import without_person
from renqun.erase.search import Words
from renqun.erase.tally import Tallies
from renqun.erase.versions import end_interrupted, rewrite
from renqun.persons.identifiers import columns_of
from renqun.publish import files
from renqun.publish.catalogue_file import refresh_catalogue
from renqun.publish.contact_plan import CONTACTED
from renqun.publish.delivering import private_files, write_changes
from renqun.publish.destinations import DESTINATIONS, Destination, is_contact
from renqun.publish.destinations.writing import read_rows, write_one
from renqun.publish.history import AudienceFolder, AudienceVersion, Withdrawal
from renqun.publish.manifest import AudienceManifest, FileEntry, TriggerEntry, to_text, with_erasure
from renqun.publish.parts import building
from renqun.publish.trigger_lists import LIST_NAME
from renqun.publish.verify_deliveries import delivered_files
from renqun.publish.writing import STAGING_PREFIX
from renqun.settings import ShopPaths
from renqun.sql_text import identifier, literal
from renqun.storage import sha256_of, write_text_atomically

_PLACE = "published/audiences"
RECALLS = "erasures"
"""Below an audience: `erasures/<fingerprint>/<destination>_recall.<ending>`."""
_CANONICAL = DESTINATIONS["canonical"]


def audience_folders(paths: ShopPaths) -> list[AudienceFolder]:
    """The folders of all audiences that were ever published."""
    root = paths.published_audiences
    return [AudienceFolder(path) for path in sorted(root.iterdir()) if path.is_dir()] if root.is_dir() else []


def write_recalls(paths: ShopPaths, words: Words, fingerprint: str) -> list[str]:
    """Write for every destination what of the person any version gave it; whoever serves it removes that there.

    Written once, before anything is removed: a later call keeps what an earlier one wrote.

    Returns:
        The files, relative to the shop's folder.
    """
    found = []
    for folder in audience_folders(paths):
        end_interrupted(folder.root)
        place = folder.root / RECALLS / fingerprint
        with files.workbench() as connection, private_files():
            for to, rows in _given(connection, folder, words).items():
                place.mkdir(parents=True, exist_ok=True)
                if not list(place.glob(f"{to.id}_recall*")):
                    with building(place.parent) as staging:
                        for file in write_changes(rows, to, staging, "recall").files:
                            file.replace(place / file.name)
        if place.is_dir():
            found += [file.relative_to(paths.root).as_posix() for file in sorted(place.iterdir())]
    return found


def remove_recalls(paths: ShopPaths, fingerprint: str) -> int:
    """Remove the recall files of an erasure after the operator has said that they were served."""
    places = [folder.root / RECALLS / fingerprint for folder in audience_folders(paths)]
    there = [place for place in places if place.is_dir()]
    for place in there:
        shutil.rmtree(place)
        if not any(place.parent.iterdir()):
            place.parent.rmdir()
    return len(there)


def erase_from_audiences(paths: ShopPaths, shop_id: str, words: Words, fingerprint: str, tallies: Tallies) -> int:
    """Take the person out of every version, its destinations' files, its lists and withdrawals.

    The caller holds the writer lock. Files that wait for a gate are removed: a run writes them anew.

    Returns:
        How many versions were changed.
    """
    changed = 0
    for folder in audience_folders(paths):
        for staging in folder.root.glob(f"{STAGING_PREFIX}*"):
            shutil.rmtree(staging)
        with files.workbench() as connection:
            for version in folder.versions():
                changed += _erase_from_version(connection, version, words, fingerprint, tallies)
            for withdrawal in sorted((folder.root / "withdrawn").glob("*/withdrawal.json")):
                _erase_from_withdrawal(connection, withdrawal, words, tallies)
        pointer = folder.pointer()
        if pointer is not None:
            folder.point_to(folder.load(pointer.as_of, pointer.version))
    if paths.published_audiences.is_dir():
        refresh_catalogue(paths, shop_id)
    return changed


def _given(
    connection: duckdb.DuckDBPyConnection, folder: AudienceFolder, words: Words
) -> dict[Destination, duckdb.DuckDBPyRelation]:
    given: dict[Destination, duckdb.DuckDBPyRelation] = {}
    for version in folder.versions():
        for name, to in _destinations(version.manifest).items():
            rows = _rows_of(connection, version.folder / name, to).filter(_is_given(to, words))
            rows = rows.distinct() if to not in given else given[to].union(rows).distinct()
            given[to] = rows
    return {to: rows for to, rows in given.items() if files.rows_of(rows)}


def _destinations(manifest: AudienceManifest) -> dict[str, Destination]:
    """The destination of every file that gives somebody to one."""
    gave = {name: to for name, to in delivered_files(manifest).items() if "_reduce" not in name}
    return {**gave, **({"canonical.csv": _CANONICAL} if "canonical.csv" in manifest.files else {})}


def _rows_of(connection: duckdb.DuckDBPyConnection, file: Path, to: Destination) -> duckdb.DuckDBPyRelation:
    return read_rows(connection, to, [file])


def _is_given(to: Destination, words: Words) -> str:
    values = ", ".join(literal(one) for one in sorted(words.destination_values[to.id])) or "null"
    return " or ".join(f"coalesce({identifier(f'c{place}')} in ({values}), false)" for place in to.identifiers)


def _erase_from_version(
    connection: duckdb.DuckDBPyConnection, version: AudienceVersion, words: Words, fingerprint: str, tallies: Tallies
) -> bool:
    manifest, folder = version.manifest, version.folder
    delivered = delivered_files(manifest)
    kept: dict[str, duckdb.DuckDBPyRelation] = {}
    erased: Counter[str] = Counter()
    for name in manifest.files:
        left: duckdb.DuckDBPyRelation | None
        if name in delivered:
            rows = _rows_of(connection, folder / name, delivered[name])
            gone = _is_given(delivered[name], words)
            found = files.rows_of(rows.filter(gone))
            left = rows.filter(f"not ({gone})") if found else None
        else:
            left, found = without_person(connection, files.read_file(connection, folder / name), words)
        tallies.note(_PLACE, searched=1, found=found, files=bool(found))
        if left is not None:
            kept[name] = left
            erased[name] = found
    if not erased:
        return False
    contacted = _contacted(connection, folder, manifest, words)

    def write(beside: Path) -> AudienceManifest:
        entries = dict(manifest.files)
        for name, rows in kept.items():
            to = delivered.get(name)
            if to is not None:
                write_one(rows, to, beside / name.removesuffix(f".{to.extension}"))
                count = files.rows_of(read_rows(connection, to, [beside / name]))
                columns = manifest.files[name].columns
            else:
                (files.write_csv if name.endswith(".csv") else files.write_parquet)(rows, beside / name)
                facts = files.facts_of(connection, beside / name)
                count, columns = facts.rows, facts.columns
            size = (beside / name).stat().st_size
            entries[name] = FileEntry(sha256=sha256_of(beside / name), bytes=size, rows=count, columns=columns)
        listed = files.read_parquet(connection, beside / f"{LIST_NAME}.parquet") if manifest.trigger else None
        return with_erasure(_told_anew(manifest, entries, erased, contacted, listed), fingerprint, erased)

    rewrite(folder, set(kept), write)
    return True


def _contacted(
    connection: duckdb.DuckDBPyConnection, folder: Path, manifest: AudienceManifest, words: Words
) -> dict[str, int]:
    """How many people each destination that writes to people loses."""
    if CONTACTED not in manifest.files:
        return {}
    relation = files.read_parquet(connection, folder / CONTACTED)
    condition = words.condition(connection, columns_of(relation)) or "false"
    rows = relation.filter(condition).aggregate("destination, count(*) as people", "destination").fetchall()
    return {str(to): int(people) for to, people in rows}


def _told_anew(
    manifest: AudienceManifest,
    entries: dict[str, FileEntry],
    erased: Counter[str],
    contacted: dict[str, int],
    listed: duckdb.DuckDBPyRelation | None,
) -> AudienceManifest:
    """The manifest with counts of what is left."""
    rows = {name: entry.rows for name, entry in entries.items()}
    counts = manifest.counts.model_copy(
        update={
            "members": rows["members.parquet"],
            "added": rows["added.parquet"],
            "removed": rows["removed.parquet"],
            "previous_members": rows["members.parquet"] - rows["added.parquet"] + rows["removed.parquet"],
        }
    )
    held_back = dict(manifest.held_back)
    if erased["holdout.parquet"]:
        held_back["holdout"] -= erased["holdout.parquet"]
    deliveries = {}
    for name, delivery in manifest.deliveries.items():
        to = DESTINATIONS.get(name)
        if to is not None and is_contact(to):
            lost = contacted.get(name, 0)
        else:
            lost = min(erased["members.parquet"], sum(erased[file] for file in delivery.full))
        deliveries[name] = delivery.model_copy(
            update={
                "people": delivery.people - lost,
                "rows": sum(rows[file] for file in delivery.full) if delivery.full else delivery.rows,
                "appended": sum(rows[file] for file in delivery.append),
                "reduced": sum(rows[file] for file in delivery.reduce),
            }
        )
    return manifest.model_copy(
        update={
            "files": entries,
            "counts": counts,
            "status": "published" if counts.members else "empty",
            "held_back": held_back,
            "deliveries": deliveries,
            "trigger": _list_anew(manifest.trigger, listed) if listed is not None else None,
        }
    )


def _list_anew(entry: TriggerEntry | None, listed: duckdb.DuckDBPyRelation) -> TriggerEntry | None:
    if entry is None:
        return None
    rows, late, first, last = listed.aggregate(
        "count(*) as rows, count(*) filter (is_late) as late, min(due_at) as first, max(due_at) as last"
    ).fetchall()[0]
    earliest = first.replace(tzinfo=UTC) if first else None
    longest = max(int((entry.data_as_of - earliest).total_seconds()), 0) if earliest else 0
    return entry.model_copy(
        update={
            "rows": rows,
            "late": late,
            "due": entry.due - (entry.rows - rows),
            "longest_lateness_seconds": longest,
            "earliest_due_at": earliest,
            "latest_due_at": last.replace(tzinfo=UTC) if last else None,
        }
    )


def _erase_from_withdrawal(connection: duckdb.DuckDBPyConnection, record: Path, words: Words, tallies: Tallies) -> None:
    """Take the person out of the recall files of a withdrawn version: the erasure has recalls of its own."""
    told = Withdrawal.model_validate_json(record.read_text(encoding="utf-8"))
    rows_left = dict(told.recalled_rows)
    counts = {"recall": told.recalled, "restore": told.restored}
    for file in sorted(record.parent.iterdir()):
        if file.name == record.name:
            continue
        to = DESTINATIONS.get(file.name.partition("_recall")[0])
        if to is None:
            left, found = without_person(connection, files.read_file(connection, file), words)
        else:
            rows = read_rows(connection, to, [file])
            found = files.rows_of(rows.filter(_is_given(to, words)))
            left = rows.filter(f"not ({_is_given(to, words)})") if found else None
        tallies.note(_PLACE, searched=1, found=found, files=bool(found))
        if left is None:
            continue
        mode = file.stat().st_mode & 0o777
        with private_files():
            beside = file.with_name(f".staging-{file.name}")
            if to is None:
                (files.write_csv if file.suffix == ".csv" else files.write_parquet)(left, beside)
            else:
                beside = write_one(left, to, file.with_name(f".staging-{file.name.removesuffix(f'.{to.extension}')}"))
        beside.chmod(mode)
        beside.replace(file)
        if to is not None:
            rows_left[to.id] -= found
        elif file.suffix == ".parquet":
            counts[file.stem] -= found
    changed = told.model_copy(
        update={"recalled": counts["recall"], "restored": counts["restore"], "recalled_rows": rows_left}
    )
    if changed != told:
        write_text_atomically(record, to_text(changed))
