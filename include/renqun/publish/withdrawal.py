"""An operator's word on a version: release what was held back, or withdraw what should not have gone out."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import duckdb

from renqun.errors import RequestError, TechnicalError
from renqun.lock import exclusive
from renqun.publish import files
from renqun.publish.catalogue_file import refresh_catalogue
from renqun.publish.contracts import write_contract
from renqun.publish.delivering import destinations_of, private_files, rows_before, write_changes
from renqun.publish.history import AudienceFolder, AudienceVersion, Release, Withdrawal, sound_file
from renqun.publish.manifest import to_text
from renqun.publish.parts import building
from renqun.publish.trigger_lists import CSV_COLUMNS, LIST_NAME
from renqun.publish.writing import sound_members, write_list
from renqun.settings import Home, Settings
from renqun.storage import sweep_staging, write_text_atomically


def release(home: Home, shop_id: str, audience_id: str, as_of: date, *, released_by: str, reason: str) -> Release:
    """Let the held-back content of an audience go out with the next run of its date.

    The release holds for exactly the people that were held back, not for whatever a later run selects.

    Raises:
        RequestError: nothing is held back.
    """
    paths = home.paths(shop_id)
    folder = AudienceFolder.of(paths, audience_id)
    with exclusive(paths.writer_lock, f"release {audience_id}", timeout_seconds=Settings().lock_timeout_seconds):
        outcome = folder.outcome(as_of)
        if outcome is None or outcome.status != "held_back" or outcome.content_key is None:
            raise RequestError(
                f"nothing of the audience {audience_id!r} is held back as of {as_of}",
                where=str(folder.day(as_of)),
                remedy="'renqun audience list' shows what is held back, and of which date",
            )
        released = Release(
            audience_id=audience_id,
            as_of=as_of,
            content_key=outcome.content_key,
            released_by=released_by,
            reason=reason,
        )
        write_text_atomically(folder.release_file(outcome.content_key), to_text(released))
    return released


def withdraw(
    home: Home, shop_id: str, audience_id: str, version: str | None = None, *, withdrawn_by: str, reason: str
) -> Withdrawal:
    """Take a version back: the pointer returns to the version before, and recall files say what to undo downstream.

    `withdrawn/<version>/recall.*` lists who must be removed downstream: people of the withdrawn version who are not
    in the one that the pointer names afterwards. `restore.*` lists whom that version had taken out. Each destination
    that got identifiers has recall files of its own, `<destination>_recall.*`, written as it takes them; nobody is
    given back to it here, because consent may have changed since: the next version's append file holds its whole list.
    Of an audience with a trigger, `triggers_recall.*` names the messages of its list: whatever of them has not gone out
    yet must not. They are never listed again (docs/adr/0022-send-once.md).
    The version's own files stay as they are.

    Args:
        home: the home.
        shop_id: the shop.
        audience_id: the audience.
        version: which version; None = the one that the pointer names.
        withdrawn_by: who says so.
        reason: why.

    Raises:
        RequestError: no such version, or it is withdrawn already.
    """
    paths = home.paths(shop_id)
    folder = AudienceFolder.of(paths, audience_id)
    with exclusive(paths.writer_lock, f"withdraw {audience_id}", timeout_seconds=Settings().lock_timeout_seconds):
        gone = _find(folder, audience_id, version)
        try:
            sweep_staging(folder.root / "withdrawn")
            record = _recorded(folder, gone) if gone.is_withdrawn else _withdraw(folder, gone, withdrawn_by, reason)
            _finish(folder, gone)
            refresh_catalogue(paths, shop_id)
        except OSError as error:
            raise TechnicalError(
                f"the withdrawal of version {gone.version} was not finished: {error}",
                where=str(folder.withdrawal_folder(gone.version)),
                remedy="free disk space or mend what is named above, then withdraw it again",
            ) from error
    return record


def finish_withdrawal(folder: AudienceFolder) -> None:
    """Do what is left of a withdrawal that was killed: no pointer names a version that must not be used, and no
    half-written recall file, which may hold contacts, lies about.

    The caller holds the shop's writer lock.
    """
    sweep_staging(folder.root / "withdrawn")
    latest = folder.latest()
    if latest is not None and latest.is_withdrawn:
        _finish(folder, latest)


def _withdraw(folder: AudienceFolder, gone: AudienceVersion, withdrawn_by: str, reason: str) -> Withdrawal:
    """Write the recall files and the word itself; both appear in one step."""
    before = folder.pointer()
    after = _after(folder, gone)
    place = folder.withdrawal_folder(gone.version)
    with building(place.parent) as staging:
        recalled, restored = _write_recall(staging, gone, after)
        record = Withdrawal(
            audience_id=gone.manifest.audience_id,
            as_of=gone.manifest.as_of,
            version=gone.version,
            withdrawn_by=withdrawn_by,
            reason=reason,
            pointer_before=before.version if before else None,
            pointer_after=after.version if after else None,
            recalled=recalled,
            restored=restored,
            recalled_rows=_recall_from_destinations(staging, gone, after),
            recalled_messages=_recall_messages(staging, gone),
        )
        (staging / "withdrawal.json").write_text(to_text(record), encoding="utf-8", newline="\n")
        files.seal(staging)
        os.rename(staging, place)
    return record


def _recorded(folder: AudienceFolder, gone: AudienceVersion) -> Withdrawal:
    """What a withdrawal says that was killed before the pointer moved.

    Raises:
        RequestError: nothing was left of it to do.
    """
    place = folder.withdrawal_folder(gone.version)
    latest = folder.latest()
    if latest is None or latest.version != gone.version:
        raise RequestError(
            f"version {gone.version} of the audience {gone.manifest.audience_id!r} is withdrawn already",
            where=str(place),
            remedy="its recall files are there",
        )
    return Withdrawal.model_validate_json((place / "withdrawal.json").read_text(encoding="utf-8"))


def _finish(folder: AudienceFolder, gone: AudienceVersion) -> None:
    """What follows from the word: the contract ends, and the pointer names what stands instead."""
    write_contract(folder, gone)
    folder.point_to(_after(folder, gone))


def _after(folder: AudienceFolder, gone: AudienceVersion) -> AudienceVersion | None:
    """What the pointer names after the withdrawal."""
    latest = folder.latest()
    return _before(folder, gone) if latest and latest.version == gone.version else latest


def _find(folder: AudienceFolder, audience_id: str, version: str | None) -> AudienceVersion:
    latest = folder.latest()
    found = latest if version is None else next((v for v in folder.versions() if v.version == version), None)
    if found is None:
        raise RequestError(
            f"the audience {audience_id!r} has no {'published version' if version is None else 'version ' + version}",
            where=str(folder.root),
            remedy="'renqun audience list' shows the versions",
        )
    return found


def _before(folder: AudienceFolder, version: AudienceVersion) -> AudienceVersion | None:
    """The newest version in the chain before this one that is not withdrawn."""
    reference = version.manifest.previous
    while reference is not None:
        earlier = folder.load(reference.as_of, reference.version)
        if not earlier.is_withdrawn:
            return earlier
        reference = earlier.manifest.previous
    return None


def _write_recall(staging: Path, gone: AudienceVersion, after: AudienceVersion | None) -> tuple[int, int]:
    with files.workbench() as connection:
        withdrawn = _keys(connection, gone)
        standing = _keys(connection, after) if after else withdrawn.limit(0)
        recall = withdrawn.except_(standing).order("customer_key")
        restore = standing.except_(withdrawn).order("customer_key")
        counts = []
        for name, people in (("recall", recall), ("restore", restore)):
            write_list(people, "customer_key", staging, name)
            counts.append(files.facts_of(connection, staging / f"{name}.parquet").rows)
    return counts[0], counts[1]


def _recall_from_destinations(staging: Path, gone: AudienceVersion, after: AudienceVersion | None) -> dict[str, int]:
    """Write for every destination whom to remove there: rows that it got, and that the standing version has not."""
    recalled: dict[str, int] = {}
    with files.workbench() as connection, private_files():
        for to, _ in destinations_of(gone.manifest.deliveries):
            given = rows_before(connection, gone, to)
            if given is None:
                continue
            standing = rows_before(connection, after, to)
            rows = given if standing is None else given.except_(standing)
            recalled[to.id] = write_changes(rows, to, staging, "recall").rows
    return recalled


def _recall_messages(staging: Path, gone: AudienceVersion) -> int:
    """Write the messages of the withdrawn list, under the keys by which their receiver knows them."""
    if gone.manifest.trigger is None:
        return 0
    with files.workbench() as connection:
        listed = files.read_parquet(connection, sound_file(gone, f"{LIST_NAME}.parquet"))
        name = f"{LIST_NAME}_recall"
        write_list(listed, CSV_COLUMNS, staging, name)
        return files.facts_of(connection, staging / f"{name}.parquet").rows


def _keys(connection: duckdb.DuckDBPyConnection, version: AudienceVersion) -> duckdb.DuckDBPyRelation:
    return files.read_parquet(connection, sound_members(version)).select("customer_key")
