"""Where a shop lives and how it is set up: `RENQUN_HOME`, `shops.yml` and the folders of a shop."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from renqun.errors import RequestError
from renqun.yaml_files import parse

Group = Literal["orders", "traffic", "profiles", "marketing"]
GROUPS: tuple[Group, ...] = ("orders", "traffic", "profiles", "marketing")
SHOP_ID_PATTERN = re.compile(r"[a-z][a-z0-9_]{0,30}")
DEFAULT_SHOP = "default"
OBJECTS_URL = r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._=-]+)*/?$"
"""A bucket and a prefix in an object store; nothing that could hold a credential."""
DEFAULT_EXPORT_TIME = time(6, 0)
"""When a platform is taken to have a day's exports ready, unless the shop's `export_hours` say otherwise."""

PROJECT_ROOT = Path(__file__).resolve().parents[2]
"""The checkout (or the image's copy of it) that holds `dags/`, `dbt_project/` and `expectations/`."""


class Waiver(BaseModel):
    """One critical check demoted to a warning, for one shop, until a date."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    check: str
    owner: str
    reason: str
    until: date


class Publishing(BaseModel):
    """What a shop decides about all its audiences."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    holdout: Decimal = Field(default=Decimal(0), ge=0, le=Decimal("0.5"))
    """Share of the people who are in no audience at all, so that everything together can be measured."""
    consent_max_age_days: int = Field(default=30, ge=1)
    """An export of consent that is older says too little of who still agrees; a month is the longest that rules on
    personal data commonly give a shop to follow somebody's wish."""
    recent_refund_days: int = Field(default=14, ge=0)
    """For so many days after a refund nobody is sent advertising: two weeks, twice the usual seven for returns. The
    day of the refund is the first; 0: refunds keep nobody out."""
    publish_to: str | None = Field(default=None, pattern=OBJECTS_URL)
    """An object store that gets a copy of every published audience; credentials come from the environment only."""


class Channel(BaseModel):
    """Where alerts go. It names environment variables; their secrets are written nowhere."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["dingtalk", "feishu", "lark", "wecom", "slack", "email"]
    url_env: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")
    """The variable that holds the robot's address, or `smtp://user:password@host:587` (`smtps://`)."""
    secret_env: str | None = Field(default=None, pattern=r"^[A-Z][A-Z0-9_]*$")
    """The variable that holds the secret which messages are signed with (DingTalk, Feishu, Lark)."""
    to: tuple[str, ...] = ()
    """E-mail only: who gets it."""
    sender: str | None = None
    """E-mail only: from whom it comes."""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Channel:
        if (self.kind == "email") != bool(self.to):
            raise ValueError("an e-mail needs 'to', and only an e-mail has it")
        if self.sender is not None and self.kind != "email":
            raise ValueError("only an e-mail has a 'sender'")
        if self.secret_env is not None and self.kind not in ("dingtalk", "feishu", "lark"):
            raise ValueError(f"{self.kind} signs no messages: 'secret_env' has no meaning")
        return self

    @property
    def name(self) -> str:
        """What it is called in logs and in the ledger of alerts."""
        return f"{self.kind}:{self.url_env}"


class Keeping(BaseModel):
    """What `maintenance` leaves. Ages are counted from the newest published business date, of files from today."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    marts_versions: int | None = Field(default=None, ge=1)
    """Newest versions of the marts; None: what RENQUN_KEEP_MARTS_VERSIONS says. The last of each month, the latest, and
    what an audience in use was made from stay in any case."""
    audience_days: int = Field(default=400, ge=31)
    """After its last day of use a version of an audience stays so long: a year and a month, to compare seasons."""
    results_days: int = Field(default=400, ge=7)
    """Verdicts of gates, records of builds, reports of restatement."""
    log_days: int = Field(default=30, ge=1)
    """Lines of runs; whoever asks for older ones asks too late to mend anything."""
    rejected_days: int = Field(default=90, ge=7)
    """Refused files: they hold rows of people, and a quarter is ample to export again."""
    incoming_days: int = Field(default=14, ge=2)
    """Batches that no gate has seen: an ingest waits two days at most. Their files still lie in the drop folder."""
    compact_from: float = Field(default=0.25, gt=0, le=1)
    """Share of free pages from which on the warehouse is written anew."""


class Shop(BaseModel):
    """One shop as written in `shops.yml`; only `id` is required."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    name: str = ""
    time_zone: str = "Asia/Shanghai"
    currency: str = Field(default="CNY", pattern=r"^[A-Z]{3}$")
    expect: tuple[Group, ...] = ("orders", "traffic")
    export_hours: dict[Group, time] = Field(default_factory=dict)
    """Local time after which the platform has a group's export ready; the ingest DAG starts then."""
    deadline: time = time(18, 0)
    """Local time until which a scheduled ingest waits for a day's files, on the day after that day."""
    publish_by: time | None = None
    """Local time by which a day's marts and audiences are expected, on the day after; later, an alert is sent."""
    alerts: tuple[Channel, ...] | None = None
    """Where alerts go; None: where `RENQUN_ALERTS` says, or only into the log."""
    scheduled_since: date | None = None
    """First business date that the scheduler has to bring in: it makes up for every later one that it missed. Without
    it, only the newest date is asked for. `renqun init` and `renqun shop add` write the day on which they run."""
    success_marker: bool = False
    """Whether a date folder is complete only once it holds a file `_SUCCESS`."""
    vars: dict[str, Any] = Field(default_factory=dict)
    """Overrides of the dbt project's vars."""
    publishing: Publishing = Publishing()
    """Holdout, age of consent and the rest after a refund, for all audiences."""
    keeping: Keeping = Keeping()
    """How long versions, results, logs and leftovers are kept."""
    waivers: tuple[Waiver, ...] = ()

    @field_validator("id")
    @classmethod
    def _id_is_a_name(cls, value: str) -> str:
        if not SHOP_ID_PATTERN.fullmatch(value) or "__" in value:
            raise ValueError("must match [a-z][a-z0-9_]{0,30}, without '__'")
        return value

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"unknown time zone {value!r}") from error
        return value

    @model_validator(mode="after")
    def _is_published_after_it_came(self) -> Shop:
        last = max(self._export_hours(), default=time(0))
        if self.publish_by is not None and self.publish_by <= last:
            raise ValueError(f"publish_by {self.publish_by:%H:%M} is not after the last export hour, {last:%H:%M}")
        return self

    @property
    def first_export_hour(self) -> time:
        """When the first of the expected exports is ready."""
        return min(self._export_hours(), default=time(0))

    def _export_hours(self) -> list[time]:
        return [self.export_hours.get(group, DEFAULT_EXPORT_TIME) for group in self.expect]

    @property
    def zone(self) -> ZoneInfo:
        """The shop's time zone."""
        return ZoneInfo(self.time_zone)

    def end_of_day(self, day: date) -> datetime:
        """The last microsecond of a business date, as an instant: the export time of a file that gives none."""
        midnight = datetime.combine(day + timedelta(days=1), time(0), tzinfo=self.zone)
        return midnight - timedelta(microseconds=1)


class _ShopsFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    shops: tuple[Shop, ...]


@dataclass(frozen=True)
class ShopPaths:
    """The folders and files of one shop below the home."""

    root: Path
    warehouse_file: Path | None = None
    """Another warehouse file than the shop's own: builds of a past date work in one of theirs."""

    @property
    def landing(self) -> Path:
        """`<group>/<YYYY-MM-DD>/<file>`, as the operator dropped them; the pipeline never writes here."""
        return self.root / "landing"

    @property
    def raw(self) -> Path:
        """Accepted raw at `<source>/date=<ds>/<batch_id>.parquet`, beside `incoming/` and `rejected/`."""
        return self.root / "raw"

    @property
    def warehouse_dir(self) -> Path:
        """The workshop: the warehouse file, its lock, dbt's working files."""
        return self.root / "warehouse"

    @property
    def warehouse(self) -> Path:
        """The DuckDB file that only the pipeline opens."""
        return self.warehouse_file or self.warehouse_dir / "renqun.duckdb"

    @property
    def writer_lock(self) -> Path:
        """Held by every writer and every gate while it works on the warehouse or promotes raw."""
        return self.warehouse_dir / "writer.lock"

    @property
    def run_lock(self) -> Path:
        """Held by one `renqun run` from its start to its end."""
        return self.warehouse_dir / "run.lock"

    @property
    def published_marts(self) -> Path:
        """`as_of=<ds>/<version>/` and the pointer `latest`."""
        return self.root / "published" / "marts"

    @property
    def published_audiences(self) -> Path:
        """`<audience>/as_of=<ds>/<version>/` and the pointer `latest.json`."""
        return self.root / "published" / "audiences"

    @property
    def quality(self) -> Path:
        """Verdicts of gates, records of builds, Data Docs; no personal data."""
        return self.root / "quality"


class Settings(BaseSettings):
    """Settings of the process, from the environment (`RENQUN_*`)."""

    model_config = SettingsConfigDict(env_prefix="RENQUN_")

    home: Path = Path("home")
    memory_limit: str = "4GB"
    """DuckDB's memory limit."""
    threads: int = 2
    log_format: Literal["text", "json"] = "text"
    """How lines of a run's log are written: for people, or one JSON object a line for programs."""
    lock_timeout_seconds: float = 1800.0


@dataclass(frozen=True)
class Home:
    """A `RENQUN_HOME` and the shops in it."""

    root: Path

    @classmethod
    def from_environment(cls) -> Home:
        """The home that `RENQUN_HOME` names (default `./home`)."""
        return cls(Settings().home.expanduser().resolve())

    @property
    def shops_file(self) -> Path:
        """`shops.yml`; where it is absent, there is one shop `default`."""
        return self.root / "shops.yml"

    @property
    def airflow(self) -> Path:
        """Airflow's own folder: configuration, metadata, logs."""
        return self.root / "airflow"

    def shops(self) -> tuple[Shop, ...]:
        """All shops, strictly parsed.

        Raises:
            RequestError: `shops.yml` is not readable, has an unknown key or a shop twice.
        """
        if not self.shops_file.exists():
            return (Shop(id=DEFAULT_SHOP),)
        try:
            content = parse(self.shops_file.read_text(encoding="utf-8"))
            shops = _ShopsFile.model_validate(content or {}).shops
        except (yaml.YAMLError, ValidationError, UnicodeDecodeError) as error:
            raise RequestError(
                f"shops.yml cannot be read: {error}",
                where=str(self.shops_file),
                remedy="correct the entry named above; README, 'Shops', lists the keys",
            ) from error
        ids = [shop.id for shop in shops]
        twice = sorted({shop_id for shop_id in ids if ids.count(shop_id) > 1})
        if twice:
            raise RequestError(
                f"shops.yml names {', '.join(twice)} more than once",
                where=str(self.shops_file),
                remedy="keep one entry a shop",
            )
        return shops

    def shop(self, shop_id: str) -> Shop:
        """The shop with this id.

        Raises:
            RequestError: there is none.
        """
        for shop in self.shops():
            if shop.id == shop_id:
                return shop
        known = ", ".join(shop.id for shop in self.shops())
        raise RequestError(
            f"no shop is called {shop_id!r}",
            where=str(self.shops_file),
            remedy=f"known shops: {known}; 'renqun shop add' makes a new one",
        )

    def paths(self, shop_id: str) -> ShopPaths:
        """The folders of a shop."""
        return ShopPaths(self.root / shop_id)
