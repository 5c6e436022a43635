"""A home, a shop and the `renqun` command, used as an operator uses them: from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import forks

import parsed_project

ORDER_COLUMNS = (
    "order_id,line_id,customer_id,ordered_at,paid_at,status,item_id,item_name,category_id,quantity,unit_price,"
    "line_paid_amount,order_paid_amount,refunded_amount,refunded_at,currency,exported_at"
)
EVENT_COLUMNS = "event_id,event_at,event_type,visitor_id,customer_id,item_id,category_id,source,campaign,page,device"


@dataclass(frozen=True)
class Outcome:
    """What a command said and how it ended."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def text(self) -> str:
        """All that the operator saw."""
        return self.stdout + self.stderr


@dataclass(frozen=True)
class Workbench:
    """One `RENQUN_HOME` and what a test does to it."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def renqun(self, *arguments: str, timeout: float = 600, **environment: str) -> Outcome:
        """Run the command line in a process of its own: a fork, unless it shall have another environment."""
        if environment:
            process = subprocess.run(
                [sys.executable, "-m", "renqun.cli", *arguments],
                env={**self._environment(), **environment},
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
            return Outcome(process.returncode, process.stdout, process.stderr)
        if arguments[0] == "run":
            self._lend_parsed_project()
        ended = forks.run(arguments, self._environment(), timeout)
        if arguments[0] == "run":
            self._keep_parsed_project()
        return Outcome(ended.returncode, ended.stdout, ended.stderr)

    def _lend_parsed_project(self) -> None:
        for shop, what in self._parsed_projects():
            parsed_project.lend(what, shop / "warehouse" / "dbt" / "partial_parse.msgpack")

    def _keep_parsed_project(self) -> None:
        for shop, what in self._parsed_projects():
            parsed_project.keep(what, shop / "warehouse" / "dbt" / "partial_parse.msgpack")

    def _parsed_projects(self) -> list[tuple[Path, str]]:
        """Every shop's folder, and what its vars depend on."""
        shops = self.home / "shops.yml"
        text = shops.read_text(encoding="utf-8") if shops.exists() else ""
        return [(landing.parent, f"{landing.parent.name}\n{text}") for landing in self.home.glob("*/landing")]

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start the command line and leave it running."""
        if "PYTHONPATH" not in environment:
            self._lend_parsed_project()
        return subprocess.Popen(
            [sys.executable, "-m", "renqun.cli", *arguments],
            env={**self._environment(), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def done(self, *arguments: str, **environment: str) -> Outcome:
        """Run the command line; it has to succeed."""
        outcome = self.renqun(*arguments, **environment)
        assert outcome.exit_code == 0, outcome.text
        return outcome

    def json(self, *arguments: str) -> Any:
        """Run a command with `--json` and read its answer."""
        return json.loads(self.done(*arguments, "--json").stdout)

    def _environment(self) -> dict[str, str]:
        inherited = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        return {**inherited, "RENQUN_HOME": str(self.home), **self.environment}

    def shop(self, shop: str = "default") -> Path:
        """A shop's folder."""
        return self.home / shop

    def shops(self, text: str) -> None:
        """Write `shops.yml`."""
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "shops.yml").write_text(text, encoding="utf-8")

    def drop(self, group: str, day: str, name: str, content: str | bytes, shop: str = "default") -> Path:
        """Put a file into the shop's landing folder."""
        file = self.shop(shop) / "landing" / group / day / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def orders(self, day: str, *rows: str, name: str = "orders.csv", shop: str = "default") -> Path:
        """Drop an orders export with these rows (columns: `ORDER_COLUMNS`)."""
        return self.drop("orders", day, name, "\n".join([ORDER_COLUMNS, *rows]) + "\n", shop)

    def events(self, day: str, *rows: str, name: str = "events.csv", shop: str = "default") -> Path:
        """Drop a traffic export with these rows (columns: `EVENT_COLUMNS`)."""
        return self.drop("traffic", day, name, "\n".join([EVENT_COLUMNS, *rows]) + "\n", shop)

    def marts(self, shop: str = "default") -> duckdb.DuckDBPyConnection:
        """The newest published marts, opened as an analyst opens them."""
        return duckdb.connect(str(self.shop(shop) / "published" / "marts" / "latest" / "marts.duckdb"), read_only=True)

    def latest(self, shop: str = "default") -> Path | None:
        """Where `latest` points to; None where nothing was published."""
        link = self.shop(shop) / "published" / "marts" / "latest"
        return link.resolve() if link.exists() else None

    def audience_pointer(self, audience: str, shop: str = "default") -> dict[str, Any] | None:
        """What an audience's `latest.json` says; None where there is none."""
        file = self.shop(shop) / "published" / "audiences" / audience / "latest.json"
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def published_bytes(bench: Workbench, shop: str = "default") -> dict[str, bytes]:
    """Every published file and link with its content (of `marts.duckdb` only the presence: it is compared by
    content elsewhere), to compare before and after."""
    root = bench.shop(shop) / "published"
    found: dict[str, bytes] = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            found[name] = os.readlink(path).encode()
        elif path.is_file() and "latest/" not in name:
            found[name] = b"" if path.suffix == ".duckdb" else path.read_bytes()
    return found


def differences(
    left: Workbench, right: Workbench, *, leave_out: tuple[str, ...] = (), shop: str = "default"
) -> dict[str, tuple[int, int]]:
    """Two-way comparison of all published marts: rows only left, rows only right, by table."""
    with left.marts(shop) as connection:
        other = right.shop(shop) / "published" / "marts" / "latest" / "marts.duckdb"
        connection.execute(f"attach '{other}' as other (read_only)")
        tables = [
            row[0]
            for row in connection.execute(
                "select table_name from duckdb_tables() where database_name = current_database() order by 1"
            ).fetchall()
        ]
        assert tables, "nothing is compared"
        found = {}
        for table in tables:
            schema = connection.execute(
                "select schema_name from duckdb_tables() where database_name = current_database() and table_name = ?",
                [table],
            ).fetchall()[0][0]
            counts = []
            for a, b in ((schema, f"other.{schema}"), (f"other.{schema}", schema)):
                counts.append(
                    connection.execute(
                        f"select count(*) from (from {a}.{table} except all from {b}.{table})"
                    ).fetchall()[0][0]
                )
            if any(counts) and table not in leave_out:
                found[table] = (counts[0], counts[1])
    mine, others = _parts(left, shop), _parts(right, shop)
    assert mine, "no traffic is compared"
    for mart in mine.keys() | others.keys():
        apart = mine.get(mart, set()) - others.get(mart, set()), others.get(mart, set()) - mine.get(mart, set())
        if any(apart):
            found[mart] = (len(apart[0]), len(apart[1]))
    return found


def _parts(bench: Workbench, shop: str) -> dict[str, set[tuple[str, str]]]:
    """The date and digest of every part of the marts that are published in parts: equal rows have equal bytes."""
    manifest = json.loads((bench.shop(shop) / "published" / "marts" / "latest" / "manifest.json").read_text("utf-8"))
    return {
        mart: {(part["date"], part["sha256"]) for part in entry["parts"]}
        for mart, entry in manifest["partitioned"].items()
    }
