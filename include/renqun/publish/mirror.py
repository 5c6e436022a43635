"""Published audiences copied to an object store: every object of a version first, its manifest last, then the pointer.

A version there is whole when its manifest is: whoever finds `manifest.json` finds all files that it names. The pointer
`latest.json` moves by one request, after its version was read back. Whatever kills this in between leaves the pointer
where it was; the next call goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from renqun.lock import exclusive
from renqun.publish.catalogue_file import CATALOGUE_NAME
from renqun.publish.contracts import CONTRACTS_FOLDER, contract_file
from renqun.publish.history import POINTER_NAME, AudienceFolder, AudienceVersion
from renqun.publish.manifest import MANIFEST_NAME, VERSION_PATTERN
from renqun.publish.objects import ObjectStore, Stored
from renqun.publish.versions import sequence_of
from renqun.settings import Settings, Shop, ShopPaths
from renqun.storage import sha256_of

WITHDRAWN = "withdrawn"
_WITHDRAWAL = "withdrawal.json"


@dataclass
class MirrorReport:
    """What was copied, and what moved."""

    url: str
    versions: list[str] = field(default_factory=list)
    """`<audience>/<version>` of what was not there."""
    withdrawals: list[str] = field(default_factory=list)
    """`<audience>/<version>` of withdrawals that were told there, or taken back."""
    pointers: list[str] = field(default_factory=list)
    """Audiences whose pointer moved."""


def mirror_audiences(
    paths: ShopPaths, shop: Shop, *, store: ObjectStore | None = None, after_erasure: bool = False
) -> MirrorReport | None:
    """Bring the place that `publishing.publish_to` names to what is published here; None where none is named.

    Args:
        paths: the shop's folders.
        shop: the shop.
        store: another place than the shop's.
        after_erasure: published files were written anew without somebody: every version there is compared, not only
            the newest ones, and what is no longer here goes.

    Raises:
        TechnicalError: the store failed, or a published file is not what its manifest says. Pointers that had not
            moved yet stay where they were.
    """
    if store is None:
        if shop.publishing.publish_to is None:
            return None
        store = ObjectStore.of(shop.publishing.publish_to)
    place = store.below(f"{shop.id}/audiences")
    report = MirrorReport(place.url)
    root = paths.published_audiences
    timeout = Settings().lock_timeout_seconds
    with exclusive(paths.warehouse_dir / "mirror.lock", "mirror audiences", timeout_seconds=timeout):
        folders = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
        for folder in map(AudienceFolder, folders):
            _mirror_audience(folder, place.below(folder.root.name), report, after_erasure=after_erasure)
        _mirror_file(root / CATALOGUE_NAME, place, CATALOGUE_NAME)
    return report


def _mirror_audience(folder: AudienceFolder, place: ObjectStore, report: MirrorReport, *, after_erasure: bool) -> None:
    # The pointer is read before the versions: it names one of those that are listed after it.
    pointer_file = folder.root / POINTER_NAME
    text = pointer_file.read_bytes() if pointer_file.is_file() else None
    pointed = folder.latest() if text else None
    for version in _missing(folder, pointed, place, after_erasure=after_erasure):
        _copy_version(folder, version, place)
        report.versions.append(f"{folder.root.name}/{version.version}")
    for version_name in _mirror_withdrawals(folder, place, after_erasure=after_erasure):
        report.withdrawals.append(f"{folder.root.name}/{version_name}")
    if place.read(POINTER_NAME) != text:
        if text is None:
            place.delete(POINTER_NAME)
        else:
            place.put(POINTER_NAME, text)
        report.pointers.append(folder.root.name)


def _missing(
    folder: AudienceFolder, pointed: AudienceVersion | None, place: ObjectStore, *, after_erasure: bool
) -> list[AudienceVersion]:
    """The versions that are not whole there, in the order of publishing: those behind the last one that is, or all."""
    missing: list[AudienceVersion] = []
    for version in sorted(folder.versions(), key=lambda one: sequence_of(one.manifest.provenance), reverse=True):
        if not _is_whole(folder, version, place):
            missing.append(version)
        elif not after_erasure:
            break
    if pointed and pointed.version not in {one.version for one in missing} and not _is_whole(folder, pointed, place):
        missing.append(pointed)
    return missing[::-1]


def _is_whole(folder: AudienceFolder, version: AudienceVersion, place: ObjectStore) -> bool:
    manifest = (version.folder / MANIFEST_NAME).read_bytes()
    return place.read(f"{_path(folder, version)}/{MANIFEST_NAME}") == manifest


def _copy_version(folder: AudienceFolder, version: AudienceVersion, place: ObjectStore) -> None:
    path = _path(folder, version)
    for name, entry in sorted(version.manifest.files.items()):
        place.copy_in(version.folder / name, f"{path}/{name}", Stored(entry.bytes, entry.sha256))
    _mirror_contract(folder, version.version, place)
    place.put(f"{path}/{MANIFEST_NAME}", (version.folder / MANIFEST_NAME).read_bytes())
    for name in set(place.listed(path)[0]) - version.manifest.files.keys() - {MANIFEST_NAME}:
        place.delete(f"{path}/{name}")


def _mirror_withdrawals(folder: AudienceFolder, place: ObjectStore, *, after_erasure: bool) -> Iterator[str]:
    """Tell there what was withdrawn here, recall files first, and take back what was released again."""
    here = {path.name: path for path in (folder.root / WITHDRAWN).glob("*") if VERSION_PATTERN.fullmatch(path.name)}
    there = set(place.listed(WITHDRAWN)[1])
    for version, local in sorted(here.items()):
        word = (local / _WITHDRAWAL).read_bytes()
        if place.read(f"{WITHDRAWN}/{version}/{_WITHDRAWAL}") == word and not after_erasure:
            continue
        for file in sorted(path for path in local.iterdir() if path.name != _WITHDRAWAL):
            place.copy_in(file, f"{WITHDRAWN}/{version}/{file.name}", _as_it_is(file))
        place.put(f"{WITHDRAWN}/{version}/{_WITHDRAWAL}", word)
        for name in set(place.listed(f"{WITHDRAWN}/{version}")[0]) - {path.name for path in local.iterdir()}:
            place.delete(f"{WITHDRAWN}/{version}/{name}")
        _mirror_contract(folder, version, place)
        yield version
    for version in sorted(there - here.keys()):
        names = place.listed(f"{WITHDRAWN}/{version}")[0]
        for name in sorted(names, key=lambda one: one != _WITHDRAWAL):
            place.delete(f"{WITHDRAWN}/{version}/{name}")
        if names:
            _mirror_contract(folder, version, place)
            yield version


def _mirror_contract(folder: AudienceFolder, version: str, place: ObjectStore) -> None:
    file = contract_file(folder, version)
    _mirror_file(file, place, f"{CONTRACTS_FOLDER}/{file.name}")


def _mirror_file(file: Path, place: ObjectStore, name: str) -> None:
    """A small file that may change: one request where it differs."""
    content = file.read_bytes() if file.is_file() else None
    if content is None:
        place.delete(name)
    elif place.read(name) != content:
        place.put(name, content)


def _as_it_is(file: Path) -> Stored:
    return Stored(file.stat().st_size, sha256_of(file))


def _path(folder: AudienceFolder, version: AudienceVersion) -> str:
    return version.folder.relative_to(folder.root).as_posix()
