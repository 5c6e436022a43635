"""A small warehouse made by hand, with the marts that publishing reads, and the steps of a day."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import duckdb

from renqun.publish import files
from renqun.publish.definitions import Audience
from renqun.publish.manifest import GateRecord
from renqun.publish.marts import publish_marts
from renqun.publish.promotion import PromotionReport, promote
from renqun.publish.selection import AudienceVerdict, Selection, WorkFolder, select_members
from renqun.publish.versions import MartsVersion
from renqun.publish.writing import staged_selections, write_files
from renqun.run import RunContext
from renqun.settings import Home

DAY = date(2026, 3, 1)
MARTS_GATE = (GateRecord(stage="marts", object="fct_orders", verdict="passed", checks=3),)
SEGMENTS = ("interest", "new_customer", "repurchase", "key_operating", "champions", "key_winback")
GOES_TO = ("canonical", "tencent", "sms")
"""Where `delivered_shop` sends its champions."""


def day(number: int) -> date:
    """The n-th business date; 0 is the first."""
    return DAY + timedelta(days=number)


def audience(audience_id: str = "champions", **changes: object) -> Audience:
    """A definition with only the interesting fields given."""
    return Audience.model_validate(
        {
            "id": audience_id,
            "name": {"en": audience_id, "zh": "人群"},
            "owner": "marketing",
            "purpose": {"kind": "marketing", "text": "testing"},
            "needs": ["orders"],
            "include": {"segment": audience_id},
            "destinations": ["canonical"],
            "size_window": {"max_change_share": "0.5", "min_previous": 10},
            "expiry_days": 7,
        }
        | changes
    )


@dataclass
class Spell:
    """Somebody's time in a segment."""

    segment: str
    customer: str
    entered: date
    exited: date | None = None


@dataclass
class Warehouse:
    """What the marts hold as of a date; `write` makes the DuckDB file anew."""

    file: Path
    groups: tuple[str, ...] = ("orders", "traffic")
    spells: list[Spell] = field(default_factory=list)
    sessions: dict[date, int] = field(default_factory=dict)
    paid_amounts: dict[str, str] = field(default_factory=lambda: {"o1": "12.50", "o2": "0.00"})
    further: list[str] = field(default_factory=list)
    """Statements that make marts beside these."""
    contacts: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    """Phone and e-mail address by customer key."""
    consents: dict[tuple[str, str, str], bool] = field(default_factory=dict)
    """Whether somebody agreed, by customer key, channel and purpose."""
    suppressions: list[tuple[str, str]] = field(default_factory=list)
    aliases: list[tuple[str, str]] = field(default_factory=list)
    """Former and present key of a person."""
    refunds: list[tuple[str, date]] = field(default_factory=list)

    def write(self, as_of: date, *, order: str = "") -> None:
        """Make the warehouse; `order` puts rows into another physical order."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.unlink(missing_ok=True)
        with duckdb.connect(str(self.file)) as connection:
            connection.execute("create schema marts; create schema ops; set TimeZone = 'UTC'")
            connection.execute(
                "create table ops.batches"
                " (batch_id varchar, source varchar, group_name varchar, ds date, is_pending boolean)"
            )
            source_of = {"orders": "orders", "traffic": "traffic_events", "profiles": "members"}
            for group in self.groups:
                connection.execute(
                    "insert into ops.batches values (?, ?, ?, ?, false)",
                    [hashlib.sha256(group.encode()).hexdigest()[:16], source_of[group], group, as_of],
                )
            self._write_facts(connection, order)
            self._write_segments(connection, as_of, order)
            for statement in self.further:
                connection.execute(statement)
            self._write_people(connection)

    def _write_facts(self, connection: duckdb.DuckDBPyConnection, order: str) -> None:
        connection.execute("create table all_orders (order_id varchar, amount varchar)")
        connection.executemany("insert into all_orders values (?, ?)", list(self.paid_amounts.items()))
        connection.execute(
            "create table marts.fct_orders as select 'default' as shop_id, order_id,"
            " amount::decimal(18, 2) as paid_amount, ['a', 'b'] as tags, timestamp '2026-01-01 10:00' as paid_at"
            f" from all_orders {order}"
        )
        connection.execute("drop table all_orders")
        connection.execute(
            "create table marts.fct_sessions (shop_id varchar, session_id varchar, visitor_id varchar,"
            " event_count bigint, session_date date)"
        )
        connection.execute(
            "create table marts.fct_events (shop_id varchar, event_key varchar, event_date date, page varchar)"
        )
        for at, count in self.sessions.items():
            connection.execute(
                f"insert into marts.fct_sessions select 'default', md5(concat(?, i)), concat('v', i), i, ?"
                f" from range(?) as r(i) {order}",
                [at.isoformat(), at, count],
            )
        connection.execute("create table marts.fct_old__dbt_tmp as select 1 as a")

    def _write_segments(self, connection: duckdb.DuckDBPyConnection, as_of: date, order: str) -> None:
        connection.execute(
            "create table spells (segment_id varchar, customer_key varchar, entered_on date, exited_on date)"
        )
        rows = [[one.segment, one.customer, one.entered, one.exited] for one in self.spells]
        if rows:
            connection.executemany("insert into spells values (?, ?, ?, ?)", rows)
        connection.execute(
            "create table marts.fct_segment_memberships as select 'default' as shop_id, segment_id, customer_key,"
            " entered_on, exited_on, json_object('why', 'because, \"really\"') as reason from spells "
            + order.replace("i desc", "customer_key desc")
        )
        connection.execute(
            "create table marts.dim_customers as select distinct 'default' as shop_id, customer_key from spells"
        )
        connection.execute("drop table spells")
        connection.execute(
            "create table marts.agg_segment_sizes__by_day (shop_id varchar, as_of_date date, segment_id varchar,"
            " customers bigint)"
        )
        for segment in SEGMENTS:
            connection.execute(
                "insert into marts.agg_segment_sizes__by_day values ('default', ?, ?, 0)", [as_of, segment]
            )

    def _write_people(self, connection: duckdb.DuckDBPyConnection) -> None:
        """The vault, and the marts that say who was somebody else before, or was given money back."""
        connection.execute("create schema vault")
        tables = {
            "vault.int_customer_contacts (customer_key varchar, phone varchar, email varchar, open_uid varchar)": [
                [key, *self.contacts.get(key, (None, None)), None]
                for key in sorted({*self.contacts, *(one.customer for one in self.spells)})
            ],
            "vault.int_customer_consents (customer_key varchar, channel varchar, purpose varchar, is_granted bool)": [
                [*key, is_granted] for key, is_granted in self.consents.items()
            ],
            "vault.int_customer_suppressions (customer_key varchar, cause varchar)": [
                list(row) for row in self.suppressions
            ],
            "marts.customer_key_aliases (shop_id varchar, from_key varchar, to_key varchar, changed_on date)": [
                ["default", *row, DAY] for row in self.aliases
            ],
            "marts.fct_refunds (shop_id varchar, refund_key varchar, customer_key varchar, refunded_date date)": [
                ["default", f"r{number}", *row] for number, row in enumerate(self.refunds)
            ],
        }
        for table, rows in tables.items():
            connection.execute(f"create table {table}")
            name = table.partition(" ")[0]
            if rows:
                connection.executemany(f"insert into {name} values ({', '.join('?' * len(rows[0]))})", rows)

    def agree(self, customers: Iterable[str], *channels: str, purpose: str = "marketing") -> None:
        """People agree to be reached by these channels."""
        for customer in customers:
            for channel in channels:
                self.consents[(customer, channel, purpose)] = True

    def enter(self, segment: str, customers: Iterable[str], on: date) -> None:
        """People come into a segment."""
        self.spells.extend(Spell(segment, customer, on) for customer in customers)

    def leave(self, segment: str, customers: Iterable[str], on: date) -> None:
        """People leave a segment."""
        gone = set(customers)
        for spell in self.spells:
            if spell.segment == segment and spell.customer in gone and spell.exited is None:
                spell.exited = on

    def set_members(self, segment: str, customers: Iterable[str], on: date) -> None:
        """From this date on, exactly these people are in a segment."""
        wanted = set(customers)
        inside = {one.customer for one in self.spells if one.segment == segment and one.exited is None}
        self.leave(segment, inside - wanted, on)
        self.enter(segment, sorted(wanted - inside), on)


@dataclass
class TestShop:
    """A home with the shop `default`, its warehouse, and a day's publication in one call."""

    __test__ = False

    home: Home
    warehouse: Warehouse

    @classmethod
    def at(cls, root: Path) -> TestShop:
        """A shop below a folder."""
        home = Home(root)
        return cls(home, Warehouse(home.paths("default").warehouse))

    def ctx(self, as_of: date, run_id: str = "test") -> RunContext:
        """A run of the shop."""
        return RunContext(self.home, self.home.shop("default"), as_of, run_id)

    @property
    def marts(self) -> Path:
        """The folder of published marts."""
        return self.home.paths("default").published_marts

    @property
    def audiences(self) -> Path:
        """The folder of published audiences."""
        return self.home.paths("default").published_audiences

    def publish_marts(
        self, as_of: date, *, write: bool = True, run_id: str = "test", **options: object
    ) -> MartsVersion:
        """Make the warehouse as of a date and publish its marts."""
        if write:
            self.warehouse.write(as_of)
        arguments: dict[str, object] = {
            "build_id": "b1",
            "as_of": as_of,
            "provenance": {"code_revision": run_id},
            "gates": MARTS_GATE,
        }
        return publish_marts(self.ctx(as_of, run_id), **(arguments | options))  # type: ignore[arg-type]

    def publish_audiences(
        self, as_of: date, definitions: Sequence[Audience], *, failing: Iterable[str] = (), **options: bool
    ) -> PromotionReport:
        """All steps of a day's audiences; the gates pass all but `failing`."""
        ctx = self.ctx(as_of)
        select_members(ctx, audiences=definitions)
        pass_gate(ctx, "audience", failing=failing)
        write_files(ctx)
        pass_gate(ctx, "published", failing=failing)
        return promote(ctx, provenance={"code_revision": "abc"}, **options)

    def publish_day(self, as_of: date, definitions: Sequence[Audience] | None = None) -> PromotionReport:
        """Marts and audiences of a date."""
        self.publish_marts(as_of)
        return self.publish_audiences(as_of, definitions if definitions is not None else [audience()])

    def version_of(self, report: PromotionReport, audience_id: str = "champions") -> Path:
        """The folder of an audience version just published."""
        outcome = next(one for one in report.outcomes if one.audience_id == audience_id)
        assert outcome.version is not None, outcome
        return self.audiences / audience_id / f"as_of={outcome.as_of}" / outcome.version


def pass_gate(ctx: RunContext, stage: str, *, failing: Iterable[str] = ()) -> None:
    """Stand in for a gate: keep a verdict on every audience that it would be asked about."""
    work = WorkFolder.of(ctx)
    asked: tuple[Selection, ...] = work.selection().selected() if stage == "audience" else staged_selections(ctx)
    for one in asked:
        failure = "the gate found something" if one.audience.id in set(failing) else None
        gate = GateRecord(stage=stage, object="members", verdict="passed", checks=2)
        gates = () if failure else (gate,)
        verdict = AudienceVerdict(members_sha256=one.members_sha256 or "", gates=gates, failure=failure)
        work.keep_verdict(one.audience.id, stage, verdict)


def tree(root: Path) -> dict[str, bytes]:
    """Every file and link below a folder with its content."""
    found = {}
    for path in sorted(root.rglob("*")):
        if path.is_symlink():
            found[str(path.relative_to(root))] = str(path.readlink()).encode()
        elif path.is_file():
            found[str(path.relative_to(root))] = path.read_bytes()
    return found


def keys_in(file: Path) -> set[str]:
    """The customer keys of a Parquet file."""
    with files.workbench() as connection:
        rows = connection.execute("select customer_key from read_parquet(?)", [str(file)]).fetchall()
    return {str(row[0]) for row in rows}


def rows_of(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[object, ...]]:
    """All rows of a query."""
    return connection.execute(query).fetchall()
