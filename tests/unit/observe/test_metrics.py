"""Metrics in Prometheus' text format, read by a parser of the test's own, and what a shop's state says is next."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from renqun.alerts.ledger import Told, write
from renqun.errors import GateFailed
from renqun.ingest.days import close_day
from renqun.observe import metrics, state
from renqun.observe.lateness import Late
from renqun.observe.state import AudienceState, GateState, ShopState, look, next_steps
from renqun.observe.watching import Watched, watch
from renqun.settings import Home, Shop

DAY = date(2026, 3, 31)
NOW = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)  # 09:00 in Shanghai
Sample = tuple[str, tuple[tuple[str, str], ...]]


def parse(text: str) -> dict[Sample, float]:
    """The exposition format 0.0.4, strictly: HELP and TYPE once before a metric's samples, no sample twice."""
    found: dict[Sample, float] = {}
    typed: list[str] = []
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split(" ", 3)[2]
            assert name not in typed
            continue
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert kind == "gauge"
            typed.append(name)
            continue
        match = re.fullmatch(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)", line)
        assert match, line
        name, inner, value = match.groups()
        assert typed[-1] == name, "samples of a metric stand together, below its TYPE"
        labels = re.findall(r'([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"', inner or "")
        assert ",".join(f'{key}="{text}"' for key, text in labels) == (inner or "")
        key = (
            name,
            tuple((label, re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), text)) for label, text in labels),
        )
        assert key not in found
        found[key] = float(value)
    return found


def _of(found: dict[Sample, float], name: str) -> dict[tuple[str, ...], float]:
    return {tuple(value for _, value in labels): number for (metric, labels), number in found.items() if metric == name}


def _state(shop: Shop, **more: object) -> ShopState:
    given = {
        "marts_as_of": None, "marts_version": None, "stages": (), "audiences": (), "gates": (), "waiting": {},
        "missing": {}, "late": None, "open_alerts": 0,
    }  # fmt: skip
    return ShopState(shop, **{**given, **more})  # type: ignore[arg-type]


def test_metrics_of_a_shop_are_read_by_prometheus(tmp_path: Path) -> None:
    home, shop = Home(tmp_path), Shop(id="default", expect=("orders", "traffic"), publish_by="08:00")  # type: ignore[arg-type]
    for stage, fails in (("receive_files", False), ("gate_raw", True)):
        watched = Watched(home, shop, DAY, "r", "ingest_orders", stage)
        try:
            with watch(watched):
                if fails:
                    raise GateFailed("no", gate="raw", checks=("a-b",))
                watched.returned = {"rows": 41}
        except GateFailed:
            pass
    told = Told(ds=DAY, cause="c", kind="stopped", headline="h", dag="d", task="t", runbook="", first_at="now")
    write(home.paths("default"), [told])
    found = parse(metrics.exposition(home, [shop], NOW))
    assert _of(found, "renqun_stage_ok") == {
        ("default", "ingest_orders", "receive_files"): 1,
        ("default", "ingest_orders", "gate_raw"): 0,
    }
    assert _of(found, "renqun_stage_rows") == {("default", "ingest_orders", "receive_files"): 41}
    assert _of(found, "renqun_stage_peak_memory_bytes")["default", "ingest_orders", "gate_raw"] > 1e7
    ended = _of(found, "renqun_stage_end_timestamp_seconds")["default", "ingest_orders", "gate_raw"]
    assert abs(ended - datetime.now(UTC).timestamp()) < 60
    assert _of(found, "renqun_late") == {("default",): 1}
    assert _of(found, "renqun_alerts_open") == {("default",): 1}
    assert _of(found, "renqun_missing_days") == {("default", "orders"): 0, ("default", "traffic"): 0}
    assert _of(found, "renqun_metrics_timestamp_seconds") == {(): NOW.timestamp()}
    for group in ("orders", "traffic"):
        close_day(home, shop, group, DAY)  # type: ignore[arg-type]
    assert _of(parse(metrics.exposition(home, [shop], NOW)), "renqun_late") == {("default",): 0}


def test_gates_audiences_and_dates_are_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop(id="default")
    shown = _state(
        shop,
        marts_as_of=DAY,
        audiences=(
            AudienceState("welcome", DAY, "v", 12),
            AudienceState('odd"\\\nname', None, None, None, held_back="it shrank"),
        ),
        gates=(GateState("audience", DAY, 20, ("x",), ("y", "z"), failed_count=2, warned_count=3),),
    )
    monkeypatch.setattr(metrics, "look", lambda *_: shown)
    found = parse(metrics.exposition(Home(tmp_path), [shop], NOW))
    midnight = datetime(2026, 3, 30, 16, 0, tzinfo=UTC).timestamp()
    assert _of(found, "renqun_marts_as_of_timestamp_seconds") == {("default",): midnight}
    assert _of(found, "renqun_audience_members") == {("default", "welcome"): 12}
    assert _of(found, "renqun_audience_held_back") == {("default", "welcome"): 0, ("default", 'odd"\\\nname'): 1}
    of_gate = {result: number for (_, _, result), number in _of(found, "renqun_gate_checks").items()}
    assert of_gate == {"failed": 2, "warned": 3, "passed": 15}
    # No hour is set, so nothing is late or in time.
    assert _of(found, "renqun_late") == {}


def test_a_task_keeps_the_file_of_metrics_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "collector" / "renqun.prom"
    monkeypatch.setenv("RENQUN_METRICS_FILE", str(file))
    home = Home(tmp_path / "home")
    with watch(Watched(home, Shop(id="default"), DAY, "r", "build_marts", "plan_build")):
        pass
    assert ("default", "build_marts", "plan_build") in _of(parse(file.read_text(encoding="utf-8")), "renqun_stage_ok")
    # What a killed writer leaves beside it is no file that the collector reads.
    assert [one.name for one in file.parent.glob("*.prom")] == ["renqun.prom"]


def test_a_file_of_metrics_that_cannot_be_written_fails_no_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "blocked").write_text("", encoding="utf-8")
    monkeypatch.setenv("RENQUN_METRICS_FILE", str(tmp_path / "blocked" / "renqun.prom"))
    with watch(Watched(Home(tmp_path / "home"), Shop(id="default"), DAY, "r", "build_marts", "plan_build")):
        pass
    assert "into metrics" in caplog.text


def test_what_is_next_is_said_with_the_page_or_the_command(tmp_path: Path) -> None:
    home, shop = Home(tmp_path), Shop(id="west")
    with pytest.raises(GateFailed), watch(Watched(home, shop, DAY, "r", "build_marts", "gate_marts")):
        raise GateFailed("1 critical check failed", gate="marts", checks=("a-b",))
    (stage,) = look(home, shop, NOW).stages
    shown = _state(
        shop,
        stages=(stage,),
        audiences=(AudienceState("welcome", None, None, None, held_back="why"),),
        waiting={"orders": [DAY]},
        missing={"traffic": [DAY], "orders": [DAY]},
        late=Late(DAY, NOW, ("marts", "audiences")),
    )
    late, stopped, held, missing, waiting = next_steps(shown)
    assert late.endswith("it lacks marts, audiences: docs/runbooks/late.md")
    assert stopped == (
        "build_marts / gate_marts of 2026-03-31 stopped: GateFailed: 1 critical check failed:"
        " docs/runbooks/gate-marts.md"
    )
    assert "welcome" in held
    assert "'renqun close-day --shop west --group traffic --date 2026-03-31'" in missing
    assert "'renqun run --shop west --date 2026-03-31'" in waiting
    assert next_steps(_state(shop)) == []


def test_a_gate_is_the_verdicts_of_its_newest_date(tmp_path: Path) -> None:
    import json

    paths = Home(tmp_path).paths("default")
    for ds, name, verdict in (
        ("2026-03-30", "marts.fct_orders", "failed"),
        ("2026-03-31", "marts.dim_items", "failed"),
        ("2026-03-31", "marts.fct_orders", "passed"),
    ):
        file = paths.quality / "results" / ds / "run" / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        check = {"id": f"{name}-x", "severity": "critical", "verdict": verdict}
        file.write_text(json.dumps({"stage": "marts", "ds": ds, "checks": [check, check]}), encoding="utf-8")
    [gate] = state._gates(paths)
    assert (gate.gate, gate.ds, gate.checks) == ("marts", DAY, 4)
    assert (gate.failed, gate.failed_count) == (("marts.dim_items-x",), 2)
