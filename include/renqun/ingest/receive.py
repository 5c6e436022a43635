"""Receiving: files of the drop folders become incoming batches, each at most once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from renqun.errors import RequestError
from renqun.ingest import places
from renqun.ingest.checks import Place
from renqun.ingest.detect import FileRefused, detect
from renqun.ingest.engine import Workbench, workbench
from renqun.ingest.landing import (
    LOOK_AGAIN_SECONDS,
    LandedFile,
    LandingScan,
    LeftAlone,
    scan_landing,
)
from renqun.ingest.ledger import (
    BatchRecord,
    Delivery,
    accepted_files,
    batch_id_of,
    incoming_batches,
    note_delivery,
    read_record,
    withdrawn_files,
    write_record,
)
from renqun.ingest.load import write_batch
from renqun.ingest.refusals import discard_incoming, forget_refusal, ingesting, keep_refused
from renqun.persons.tombstones import load_tombstones
from renqun.settings import Group, Home, Shop, ShopPaths
from renqun.storage import sha256_of

_STILL_CHANGING = "it changed while it was read"
_VANISHED = "it was removed before it was read"


@dataclass(frozen=True)
class ReceiveReport:
    """What became of a group's files of some days."""

    group: Group
    days: tuple[date, ...]
    batches: tuple[BatchRecord, ...]
    """Incoming batches of these days, now waiting for the gate: new ones and those of an earlier, unfinished run."""
    new_batch_ids: tuple[str, ...]
    duplicates: tuple[Delivery, ...]
    """Files whose bytes are a batch already, under whatever name and day: nothing was loaded again."""
    withdrawn: tuple[Delivery, ...]
    """Files whose bytes were accepted once and withdrawn: they stay out."""
    left_alone: tuple[LeftAlone, ...]
    days_without_file: tuple[date, ...]

    @property
    def batch_ids(self) -> tuple[str, ...]:
        """The batches that the gate is to look at, and nothing else is to be promoted."""
        return tuple(record.batch_id for record in self.batches)


def receive_files(
    home: Home,
    shop: Shop,
    group: Group,
    days: Sequence[date],
    *,
    look_again_seconds: float = LOOK_AGAIN_SECONDS,
    on_file: Callable[[str], None] | None = None,
) -> ReceiveReport:
    """Read a group's files of some days into `raw/incoming/`.

    May be killed at any point and called again, and called again without need: equal files give equal batches.

    Args:
        home: the home.
        shop: the shop.
        group: the group of exports.
        days: the date folders to read; a range is one call.
        look_again_seconds: the pause between two looks at a file that was touched just now.
        on_file: told each file's place before it is read, for progress.

    Raises:
        RequestError: some files cannot be taken in, or lie in no date folder. All of them are named; those that
            have bytes are kept in `raw/rejected/` with the reason. The other files have been received.
        TechnicalError: a batch could not be written.
        ShopBusy: another process has been working on this group for too long.
    """
    paths = home.paths(shop.id)
    with ingesting(paths, f"receive {group} of {shop.id}"):
        scan = scan_landing(paths, shop, group, days, look_again_seconds=look_again_seconds)
        with workbench() as bench:
            receiver = _Receiver(paths, shop, group, bench)
            for file in scan.files:
                if on_file is not None:
                    on_file(file.where)
                receiver.receive(file)
        receiver.discard_vanished(days)
        _refuse_together([*scan.misplaced, *receiver.refused], group)
        return _report(group, days, scan, receiver, incoming_batches(paths, group, set(days)))


@dataclass
class _Receiver:
    """The state of one call."""

    paths: ShopPaths
    shop: Shop
    group: Group
    bench: Workbench
    seen: set[str] = field(default_factory=set)
    new: list[str] = field(default_factory=list)
    duplicates: list[Delivery] = field(default_factory=list)
    withdrawn: list[Delivery] = field(default_factory=list)
    refused: list[RequestError] = field(default_factory=list)
    changing: list[LeftAlone] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Only this group's: equal bytes in another group's folder are a misplaced file, not a repeated one.
        self._accepted = accepted_files(self.paths, self.group)
        self._withdrawn = withdrawn_files(self.paths, self.group)
        self._tombstones = load_tombstones(self.paths)
        self._incoming = {record.batch_id: record for record in incoming_batches(self.paths, self.group)}

    def receive(self, file: LandedFile) -> None:
        """Make a batch of a file, unless it is one already."""
        try:
            sha256 = sha256_of(file.path)
        except FileNotFoundError:
            self.changing.append(LeftAlone(file.where, _VANISHED))
            return
        except OSError as error:
            remedy = "let the user that runs Renqun read the file"
            self.refused.append(FileRefused(f"it cannot be read: {error.strerror}", where=file.where, remedy=remedy))
            return
        batch_id = batch_id_of(sha256)
        delivery = Delivery(group=file.group, ds=file.ds, file_name=file.path.name, batch_id=batch_id)
        if batch_id in self._accepted:
            accepted_day = self._accepted[batch_id].parent.name.removeprefix("date=")
            if accepted_day != str(file.ds):
                note_delivery(self.paths, delivery)
            self.duplicates.append(delivery)
        elif batch_id in self._withdrawn:
            self.withdrawn.append(delivery)
        elif batch_id in self.seen:
            note_delivery(self.paths, delivery)
            self.duplicates.append(delivery)
        elif self._is_received(batch_id, file):
            self.seen.add(batch_id)
        elif self._is_elsewhere(batch_id):
            note_delivery(self.paths, delivery)
            self.duplicates.append(delivery)
        else:
            self._load(file, sha256)

    def discard_vanished(self, days: Sequence[date]) -> None:
        """Forget incoming batches whose file was replaced or removed before a gate has passed them."""
        for record in incoming_batches(self.paths, self.group, set(days)):
            if record.batch_id not in self.seen:
                discard_incoming(self.paths, record.batch_id)

    def _is_received(self, batch_id: str, file: LandedFile) -> bool:
        record = self._incoming.get(batch_id)
        return record is not None and (record.group, record.ds, record.file_name) == (
            file.group, file.ds, file.path.name,
        )  # fmt: skip

    def _is_elsewhere(self, batch_id: str) -> bool:
        """Whether the bytes wait as a batch of another day or name whose file still lies there."""
        record = self._incoming.get(batch_id)
        if record is None:
            return False
        other = places.landing_of(self.paths, record.group) / str(record.ds) / record.file_name
        return other.is_file() and sha256_of(other) == record.sha256

    def _name_among_its_likes(self, file: LandedFile) -> str:
        """The file's name as rows carry it: numbered where files of this name were taken in for this day before.

        Of two equally new exports the one whose name sorts last counts. A file that was corrected in its place has
        the name of the one before: the number lets the correction sort behind it.
        """
        of_day = [
            parquet
            for parquet in (*self._accepted.values(), *self._withdrawn.values())
            if parquet.parent.name == f"date={file.ds}"
        ]
        before = sum(read_record(parquet.with_suffix(".json")).file_name == file.path.name for parquet in of_day)
        return f"{file.path.name}#{before + 1:03}" if before else file.path.name

    def _load(self, file: LandedFile, sha256: str) -> None:
        batch_id = batch_id_of(sha256)
        folder = places.incoming(self.paths)
        try:
            detection = detect(self.bench, file.path, group=self.group, where=file.where, day=file.ds)
            discard_incoming(self.paths, batch_id)
            name = self._name_among_its_likes(file)
            place = Place(self.shop, name, batch_id, self.shop.end_of_day(file.ds))
            parquet = folder / f"{batch_id}.parquet"
            counts = write_batch(
                self.bench,
                file.path,
                detection,
                place,
                where=file.where,
                target=parquet,
                tombstones=self._tombstones,
            )
        except FileRefused as refusal:
            self._refuse(file, sha256, refusal)
            return
        except FileNotFoundError:
            self.changing.append(LeftAlone(file.where, _VANISHED))
            return
        if not file.is_unchanged():
            discard_incoming(self.paths, batch_id)
            self.changing.append(LeftAlone(file.where, _STILL_CHANGING))
            return
        record = BatchRecord(
            batch_id=batch_id,
            source=detection.source.source,
            group=file.group,
            ds=file.ds,
            file_name=file.path.name,
            sha256=sha256,
            size=file.look.size,
            format=detection.header.format,
            encoding=detection.header.encoding,
            header_version=detection.header_version,
            rows_read=counts.rows_read,
            rows_quarantined=counts.rows_quarantined,
            quarantine_reasons=counts.quarantine_reasons,
            rows_left_out=counts.rows_left_out,
            columns=detection.columns,
            missing_columns=detection.missing_columns,
            unknown_columns=detection.unknown_columns,
            verdict="incoming",
        )
        write_record(folder / f"{batch_id}.json", record)
        forget_refusal(self.paths, batch_id)
        self.seen.add(batch_id)
        self.new.append(batch_id)

    def _refuse(self, file: LandedFile, sha256: str, refusal: FileRefused) -> None:
        if not file.is_unchanged():
            self.changing.append(LeftAlone(file.where, _STILL_CHANGING))
            return
        self.refused.append(refusal)
        record = BatchRecord(
            batch_id=batch_id_of(sha256),
            source="",
            group=file.group,
            ds=file.ds,
            file_name=file.path.name,
            sha256=sha256,
            size=file.look.size,
            format="unknown",
            encoding="unknown",
            header_version="",
            rows_read=0,
            rows_quarantined=0,
            quarantine_reasons={},
            columns=(),
            missing_columns=(),
            unknown_columns=(),
            verdict="rejected",
            rejected_because=refusal.what,
        )
        keep_refused(self.paths, record, file.path)


def _report(
    group: Group, days: Sequence[date], scan: LandingScan, receiver: _Receiver, batches: Sequence[BatchRecord]
) -> ReceiveReport:
    return ReceiveReport(
        group=group,
        days=tuple(days),
        batches=tuple(batches),
        new_batch_ids=tuple(receiver.new),
        duplicates=tuple(receiver.duplicates),
        withdrawn=tuple(receiver.withdrawn),
        left_alone=(*scan.left_alone, *receiver.changing),
        days_without_file=scan.days_without_file,
    )


def _refuse_together(problems: Sequence[RequestError], group: Group) -> None:
    """One error that names every problem of the call."""
    if not problems:
        return
    if len(problems) == 1:
        raise problems[0]
    listed = "\n".join(f"- {problem.where}: {problem.what}\n  to do: {problem.remedy}" for problem in problems)
    raise RequestError(
        f"{len(problems)} things in landing/{group}/ cannot be taken in:\n{listed}",
        where=f"landing/{group}/",
        remedy="correct them one by one as said above and run again; the other files have been received",
    )
