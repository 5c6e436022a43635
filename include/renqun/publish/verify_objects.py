"""Prove a version in an object store: its objects are fetched into a private folder and proved there, like a copy."""

from __future__ import annotations

import tempfile
from pathlib import Path

from renqun.errors import RequestError
from renqun.publish.delivering import private_files
from renqun.publish.history import POINTER_NAME
from renqun.publish.manifest import FILE_NAME_PATTERN, VERSION_PATTERN
from renqun.publish.mirror import WITHDRAWN
from renqun.publish.objects import ObjectStore
from renqun.publish.verify import pointed_folder, verify
from renqun.publish.verify_report import VerifyReport


def verify_url(url: str, *, store: ObjectStore | None = None) -> VerifyReport:
    """Check a version of an audience in an object store against its own manifest.

    Args:
        url: the version's folder, or the `latest.json` of an audience.
        store: where the URL is looked up, at its `url`; None = the store that the environment leads to.

    Raises:
        RequestError: there is no such version.
        TechnicalError: the store failed.
    """
    above, _, name = url.rstrip("/").rpartition("/")
    if name == POINTER_NAME:
        audience = _place(above, store)
        pointer = audience.read(POINTER_NAME)
        if pointer is None:
            raise RequestError("there is no such pointer", where=url, remedy="give the latest.json of an audience")
        path = pointed_folder(pointer.decode("utf-8", "replace"), url)[0]
    else:
        audience, pointer = _place(above.rpartition("/")[0], store), None
        path = f"{above.rpartition('/')[2]}/{name}"
    with tempfile.TemporaryDirectory(prefix="renqun-verify-") as scratch, private_files():
        root = Path(scratch) / "audience"
        folder = root / "as_of" / (name if pointer is None else Path(path).name)
        folder.mkdir(parents=True)
        strange = _fetch(audience, path, folder)
        _fetch_withdrawal(audience, folder.name, root)
        if pointer is not None:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            folder.rename(root / path)
            (root / POINTER_NAME).write_bytes(pointer)
        report = verify(root / POINTER_NAME if pointer is not None else folder)
    for one in strange:
        report.fail("unsafe_path", one[:200], "an object of a version has the name of a plain file")
    report.path = url
    return report


def _place(url: str, store: ObjectStore | None) -> ObjectStore:
    if store is None:
        return ObjectStore.of(url)
    return store.below(url.removeprefix(store.url).strip("/"))


def _fetch(audience: ObjectStore, path: str, folder: Path) -> list[str]:
    """Copy the objects of a version; what comes back are names that no file of a version can have."""
    files, folders = audience.listed(path)
    if not files:
        raise RequestError(
            "there is no version to verify",
            where=f"{audience.url}/{path}",
            remedy="name the place that holds manifest.json, or the latest.json of an audience",
        )
    for name in files:
        if FILE_NAME_PATTERN.fullmatch(name):
            audience.copy_out(f"{path}/{name}", folder / name)
    return [name for name in (*files, *folders) if name in folders or not FILE_NAME_PATTERN.fullmatch(name)]


def _fetch_withdrawal(audience: ObjectStore, version: str, root: Path) -> None:
    name = f"{WITHDRAWN}/{version}/withdrawal.json"
    word = audience.read(name) if VERSION_PATTERN.fullmatch(version) else None
    if word is not None:
        (root / name).parent.mkdir(parents=True)
        (root / name).write_bytes(word)
