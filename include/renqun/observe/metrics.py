"""What Prometheus reads of all shops: text in its exposition format, printed or kept in a file for a collector."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from renqun.observe.state import ShopState, look
from renqun.settings import Home, Shop
from renqun.storage import write_text_atomically

_GOOD = ("done", "skipped")


class MetricsSettings(BaseSettings):
    """Settings of metrics, from the environment (`RENQUN_*`)."""

    model_config = SettingsConfigDict(env_prefix="RENQUN_")

    metrics_file: Path | None = None
    """A file `*.prom` that every task writes anew when it ends: for the textfile collector of node_exporter."""


@dataclass
class _Metric:
    name: str
    help: str
    samples: list[tuple[dict[str, str], float]] = field(default_factory=list)

    def add(self, value: float | None, **labels: str) -> None:
        if value is not None:
            self.samples.append((labels, value))

    def text(self) -> str:
        lines = [f"# HELP {self.name} {self.help}", f"# TYPE {self.name} gauge"]
        for labels, value in self.samples:
            shown = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
            lines.append(f"{self.name}{{{shown}}} {_number(value)}" if shown else f"{self.name} {_number(value)}")
        return "\n".join(lines) + "\n"


def exposition(home: Home, shops: Iterable[Shop], now: datetime) -> str:
    """The metrics of shops in Prometheus' text format, version 0.0.4."""
    states = [look(home, shop, now) for shop in shops]
    written = _Metric("renqun_metrics_timestamp_seconds", "When these metrics were written.")
    written.add(now.timestamp())
    return "".join(metric.text() for metric in [written, *_of_stages(states), *_of_states(states)] if metric.samples)


def refresh_file(home: Home) -> None:
    """Write the file of metrics anew, where one is configured.

    Raises:
        OSError: its folder cannot be written.
    """
    file = MetricsSettings().metrics_file
    if file is not None:
        write_text_atomically(file, exposition(home, home.shops(), datetime.now(UTC)))


def _of_stages(states: list[ShopState]) -> list[_Metric]:
    ended = _Metric("renqun_stage_end_timestamp_seconds", "When the task's last run ended.")
    good = _Metric("renqun_stage_ok", "Whether the task's last run ended well (done or nothing to do).")
    took = _Metric("renqun_stage_duration_seconds", "How long the task's last run took.")
    rows = _Metric("renqun_stage_rows", "Rows that the task's last run read, asked or wrote.")
    peak = _Metric("renqun_stage_peak_memory_bytes", "The most memory that the task's last run held at once.")
    for state in states:
        for run in state.stages:
            labels = {"shop": run.shop_id, "dag": run.dag, "stage": run.stage}
            ended.add(datetime.fromisoformat(run.began_at).timestamp() + run.seconds, **labels)
            good.add(float(run.verdict in _GOOD), **labels)
            took.add(run.seconds, **labels)
            rows.add(run.rows, **labels)
            peak.add(run.peak_memory_bytes, **labels)
    return [ended, good, took, rows, peak]


def _of_states(states: list[ShopState]) -> list[_Metric]:
    marts = _Metric("renqun_marts_as_of_timestamp_seconds", "Business date of the latest marts, its midnight.")
    as_of = _Metric("renqun_audience_as_of_timestamp_seconds", "Business date of the audience's latest version.")
    members = _Metric("renqun_audience_members", "Members of the audience's latest version.")
    held = _Metric("renqun_audience_held_back", "Whether the audience was held back on its last date.")
    checks = _Metric("renqun_gate_checks", "Checks of the gate's last run, by how they ended.")
    late = _Metric("renqun_late", "Whether a business date is not published although its hour is over.")
    missing = _Metric("renqun_missing_days", "Days without an export that the shop expects.")
    waiting = _Metric("renqun_waiting_days", "Days that lie in landing and were not taken in.")
    alerts = _Metric("renqun_alerts_open", "Causes that were told and are not mended.")
    for state in states:
        shop = state.shop
        marts.add(_midnight(shop, state.marts_as_of), shop=shop.id)
        for one in state.audiences:
            as_of.add(_midnight(shop, one.as_of), shop=shop.id, audience=one.audience_id)
            members.add(one.members, shop=shop.id, audience=one.audience_id)
            held.add(float(one.held_back is not None), shop=shop.id, audience=one.audience_id)
        for gate in state.gates:
            bad, warned = gate.failed_count, gate.warned_count
            counts = {"failed": bad, "warned": warned, "passed": gate.checks - bad - warned}
            for result, count in counts.items():
                checks.add(count, shop=shop.id, gate=gate.gate, result=result)
        if shop.publish_by is not None:
            late.add(float(state.late is not None), shop=shop.id)
        for group in shop.expect:
            missing.add(len(state.missing.get(group, [])), shop=shop.id, group=group)
        waiting.add(sum(len(days) for days in state.waiting.values()), shop=shop.id)
        alerts.add(state.open_alerts, shop=shop.id)
    return [marts, as_of, members, held, checks, late, missing, waiting, alerts]


def _midnight(shop: Shop, day: date | None) -> float | None:
    return datetime.combine(day, time(0), tzinfo=shop.zone).timestamp() if day else None


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
