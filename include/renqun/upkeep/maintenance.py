"""`maintenance`: what has had its time goes, by rule, the warehouse is compacted, and what anybody needs stays."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from renqun.erase.raw import batches_that_lost_rows
from renqun.ingest import places
from renqun.ingest.ledger import batch_id_of
from renqun.ingest.refusals import ingesting
from renqun.lock import exclusive
from renqun.publish import retention
from renqun.publish.contracts import contract_file
from renqun.publish.history import AudienceFolder, AudienceVersion
from renqun.publish.versions import latest_marts, published_marts
from renqun.settings import Home, Settings, Shop, ShopPaths
from renqun.storage import sha256_of
from renqun.upkeep.compaction import compact, free_share
from renqun.warehouse.connection import connect, has_table


@dataclass(frozen=True)
class Removal:
    """One thing that goes, and the rule by which."""

    rule: str
    path: str
    bytes: int


@dataclass
class MaintenanceReport:
    """What went, or would go."""

    shop_id: str
    is_dry_run: bool
    removals: list[Removal] = field(default_factory=list)
    compacted: tuple[int, int] | None = None
    """Bytes of the warehouse before and after, where it was written anew; in a dry run after is what it could be."""

    @property
    def bytes(self) -> int:
        """Of everything removed."""
        return sum(one.bytes for one in self.removals)


def maintain(home: Home, shop: Shop, *, now: datetime, dry_run: bool = False) -> MaintenanceReport:
    """Apply a shop's rules. May be killed anywhere and called again.

    Args:
        home: the home.
        shop: the shop, with its rules.
        now: the moment that ages of files are counted from.
        dry_run: only say what would go.

    Raises:
        ShopBusy: another process works on the shop for too long.
    """
    paths = home.paths(shop.id)
    timeout = Settings().lock_timeout_seconds
    report = MaintenanceReport(shop.id, dry_run)
    purpose = f"maintenance of {shop.id}"
    with exclusive(paths.writer_lock, purpose, timeout_seconds=timeout), ingesting(paths, purpose):
        clerk = _Clerk(home, shop, paths, now, report)
        clerk.marts()
        clerk.audiences()
        clerk.quality()
        clerk.logs()
        clerk.raw()
        clerk.landing()
        clerk.workshop()
        if paths.warehouse.exists() and free_share(paths.warehouse) >= shop.keeping.compact_from:
            before = paths.warehouse.stat().st_size
            after = int(before * (1 - free_share(paths.warehouse))) if dry_run else compact(paths.warehouse)
            report.compacted = before, after
    return report


@dataclass
class _Clerk:
    """One call: what every rule needs to know."""

    home: Home
    shop: Shop
    paths: ShopPaths
    now: datetime
    report: MaintenanceReport

    def __post_init__(self) -> None:
        latest = latest_marts(self.paths)
        self.newest = latest.as_of if latest else None

    def marts(self) -> None:
        """Old versions of the marts, by the rule of publishing."""
        if self.newest is None:
            return
        versions = published_marts(self.paths)
        wanted = self.shop.keeping.marts_versions or retention.RetentionSettings().keep_marts_versions
        kept = retention.kept_versions(versions, wanted, retention.referenced(self.paths, versions))
        for marts in versions:
            if marts not in kept:
                self._remove("marts_versions", marts.folder, retention.remove_folder)
        if not self.report.is_dry_run:
            retention.remove_unnamed_parts(self.paths.published_marts, kept)

    def audiences(self) -> None:
        """Versions whose last day of use is long ago, and that nothing leads on from any more."""
        if self.newest is None or not self.paths.published_audiences.is_dir():
            return
        border = self.newest - timedelta(days=self.shop.keeping.audience_days)
        measured = _measured(self.paths)
        for root in sorted(path for path in self.paths.published_audiences.iterdir() if path.is_dir()):
            folder = AudienceFolder(root)
            needed = _needed(folder)
            for version in folder.versions():
                manifest = version.manifest
                is_ledger = manifest.trigger is not None and manifest.trigger.rows > 0
                is_read = (manifest.audience_id, version.version) in measured or version.is_withdrawn
                if manifest.expires_on < border and version.version not in needed and is_read and not is_ledger:
                    self._remove("audience_days", version.folder, retention.remove_folder)
                    self._remove("audience_days", contract_file(folder, version.version))

    def quality(self) -> None:
        """Verdicts and records of dates that are long past; proofs of erasures stay."""
        if self.newest is None:
            return
        border = self.newest - timedelta(days=self.shop.keeping.results_days)
        for name in ("results", "builds"):
            for child in _children(self.paths.quality / name):
                day = places.day_of(child.name)
                if day is not None and day < border:
                    self._remove("results_days", child)
        for file in _children(self.paths.quality / "restatements"):
            day = places.day_of(file.name[:10])
            if day is not None and day < border:
                self._remove("results_days", file)

    def logs(self) -> None:
        """Lines of old runs of this shop."""
        border = self._border(self.shop.keeping.log_days)
        ours = [self.home.airflow / "embedded" / "logs" / self.shop.id]
        ours += [root for root in _children(self.home.airflow / "logs") if f"dag_id={self.shop.id}__" in root.name]
        ours.append(self.paths.warehouse_dir / "dbt")
        for root in ours:
            for file in sorted(root.rglob("*.log*")) if root.is_dir() else ():
                if file.is_file() and file.stat().st_mtime < border:
                    self._remove("log_days", file)

    def raw(self) -> None:
        """Refused files, and batches that no gate has seen for long."""
        border = self._border(self.shop.keeping.rejected_days)
        for folder in _children(places.rejected(self.paths)):
            if folder.is_dir() and folder.stat().st_mtime < border:
                self._remove("rejected_days", folder)
        border = self._border(self.shop.keeping.incoming_days)
        for parquet in places.batch_files(places.incoming(self.paths), "*.parquet"):
            if parquet.stat().st_mtime < border:
                self._remove("incoming_days", parquet)
                self._remove("incoming_days", parquet.with_suffix(".json"))

    def landing(self) -> None:
        """Files that were taken in and hold rows of people who were erased: raw has all other rows of them."""
        lost = batches_that_lost_rows(self.paths)
        for file in sorted(path for path in self.paths.landing.rglob("*") if path.is_file()) if lost else ():
            if batch_id_of(sha256_of(file)) in lost:
                self._remove("erased_people", file)

    def workshop(self) -> None:
        """What killed or forgotten runs left: work folders of publishing hold contacts."""
        border = self._border(7)
        for child in _children(self.paths.warehouse_dir / "scratch"):
            if child.stat().st_mtime < border:
                self._remove("left_by_runs", child)
        for child in _children(self.paths.warehouse_dir / "publish"):
            day = places.day_of(child.name)
            if day is not None and self.newest is not None and day < self.newest - timedelta(days=7):
                self._remove("left_by_runs", child)

    def _border(self, days: int) -> float:
        return (self.now - timedelta(days=days)).timestamp()

    def _remove(self, rule: str, path: Path, how: Callable[[Path], object] | None = None) -> None:
        if not path.exists():
            return
        size = sum(file.stat().st_size for file in (path.rglob("*") if path.is_dir() else (path,)) if file.is_file())
        root = self.paths.root if path.is_relative_to(self.paths.root) else self.home.root
        self.report.removals.append(Removal(rule, path.relative_to(root).as_posix(), size))
        if self.report.is_dry_run:
            return
        if how is not None:
            how(path)
        elif path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _needed(folder: AudienceFolder) -> set[str]:
    """What stands, and what a withdrawal of it would go back to: the chain down to the first sound version before."""
    return {version.version for version in _chain(folder, folder.latest())}


def _chain(folder: AudienceFolder, version: AudienceVersion | None) -> Iterator[AudienceVersion]:
    sound = 0
    known = {one.version: one for one in folder.versions()}
    while version is not None and sound <= 1:
        yield version
        sound += not version.is_withdrawn
        previous = version.manifest.previous
        version = known.get(previous.version) if previous else None


def _measured(paths: ShopPaths) -> set[tuple[str, str]]:
    """Versions that the warehouse has read: what came of them is known without their files."""
    if not paths.warehouse.exists():
        return set()
    with connect(paths.warehouse, read_only=True) as connection:
        if not has_table(connection, "ops", "audience_versions"):
            return set()
        rows = connection.execute("select audience_id, version from ops.audience_versions").fetchall()
        return {(str(row[0]), str(row[1])) for row in rows}


def _children(folder: Path) -> Iterable[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else ()
