"""A backup is the home byte for byte, whole or not at all; a damaged one is refused before anything is written."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from renqun.errors import RequestError, ShopBusy, TechnicalError
from renqun.lock import exclusive
from renqun.settings import Home
from renqun.upkeep import backup as backups
from renqun.upkeep.backup import backup, restore

NOW = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with a warehouse, a sealed version, a private file, a link and an empty folder."""
    root = tmp_path / "home"
    shop = root / "default"
    version = shop / "published" / "marts" / "as_of=2026-03-01" / "a"
    version.mkdir(parents=True)
    (version / "manifest.json").write_text("{}")
    (version / "manifest.json").chmod(0o444)
    (shop / "published" / "marts" / "latest").symlink_to("as_of=2026-03-01/a")
    (shop / "landing" / "orders").mkdir(parents=True)
    (shop / "raw" / "erased").mkdir(parents=True)
    (shop / "raw" / "erased" / "tombstones.json").write_text("secret")
    (shop / "raw" / "erased" / "tombstones.json").chmod(0o600)
    (shop / "warehouse").mkdir()
    with duckdb.connect(str(shop / "warehouse" / "renqun.duckdb")) as connection:
        connection.execute("create table t as select 42 as answer")
    (root / "airflow").mkdir()
    (root / "airflow" / "airflow.cfg").write_text("not ours")
    (root / "shops.yml").write_text("shops: [{id: default}]\n")
    return Home(root)


def _state(root: Path) -> dict[str, tuple[int, bytes]]:
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if name.startswith("airflow") or path.name.endswith(".lock"):
            continue
        content = os.readlink(path).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b""
        found[name] = (stat.S_IMODE(path.lstat().st_mode), content)
    return found


def test_what_was_restored_is_what_was_backed_up_with_its_modes_and_links(home: Home, tmp_path: Path) -> None:
    taken = backup(home, tmp_path / "kept", now=NOW)
    assert taken.shops == ("default",)
    before = _state(home.root)
    other = Home(tmp_path / "other")
    restore(other, tmp_path / "kept")
    assert _state(other.root) == before
    with duckdb.connect(str(other.paths("default").warehouse), read_only=True) as connection:
        assert connection.execute("select answer from t").fetchall() == [(42,)]
    assert not (other.root / "airflow").exists()
    assert not (other.root / ".restoring").exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda kept: _append(kept / "files" / "default" / "warehouse" / "renqun.duckdb"),
        lambda kept: (kept / "files" / "default" / "raw" / "erased" / "tombstones.json").unlink(),
        lambda kept: (kept / "files" / "default" / "raw" / "more.txt").write_text("more"),
        lambda kept: _append(kept / "backup.json"),
        lambda kept: (kept / "backup.sha256").write_text("0" * 64),
    ],
    ids=["a byte more", "a file less", "a file more", "another manifest", "another seal"],
)
def test_a_damaged_backup_is_refused_and_nothing_is_written(home: Home, tmp_path: Path, damage) -> None:
    backup(home, tmp_path / "kept", now=NOW)
    damage(tmp_path / "kept")
    other = Home(tmp_path / "other")
    with pytest.raises(TechnicalError, match="damaged"):
        restore(other, tmp_path / "kept")
    assert not other.root.exists()


def _append(file: Path) -> None:
    file.chmod(0o600)
    with file.open("ab") as stream:
        stream.write(b" ")


def test_nothing_is_overwritten_neither_by_a_backup_nor_by_a_restore(home: Home, tmp_path: Path) -> None:
    backup(home, tmp_path / "kept", now=NOW)
    before = _state(home.root)
    with pytest.raises(RequestError, match="new folder outside the home"):
        backup(home, tmp_path / "kept", now=NOW)
    with pytest.raises(RequestError, match="new folder outside the home"):
        backup(home, home.root / "kept", now=NOW)
    with pytest.raises(RequestError, match=r"has default, shops\.yml already"):
        restore(home, tmp_path / "kept")
    with pytest.raises(RequestError, match="no backup"):
        restore(Home(tmp_path / "other"), tmp_path)
    assert _state(home.root) == before


def test_a_restore_that_was_stopped_goes_on(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backup(home, tmp_path / "kept", now=NOW)
    other = Home(tmp_path / "other")
    copy_back = backups._copy_back

    def stops_before_the_last(place, staging, manifest, top) -> None:
        if top == "shops.yml":
            raise OSError(28, "No space left on device")
        copy_back(place, staging, manifest, top)

    monkeypatch.setattr(backups, "_copy_back", stops_before_the_last)
    with pytest.raises(TechnicalError, match="No space left"):
        restore(other, tmp_path / "kept")
    assert not other.shops_file.exists()
    monkeypatch.setattr(backups, "_copy_back", copy_back)
    restore(other, tmp_path / "kept")
    assert _state(other.root) == _state(home.root)


def test_a_backup_waits_for_nobody_forever_and_leaves_nothing(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RENQUN_LOCK_TIMEOUT_SECONDS", "0.1")
    with exclusive(home.paths("default").writer_lock, "a build"), pytest.raises(ShopBusy, match="a build"):
        backup(home, tmp_path / "kept", now=NOW)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]
