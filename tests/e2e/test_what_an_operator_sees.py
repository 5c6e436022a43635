"""Two days of a shop whose exports name people: what its operator sees says everything but who they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from small_shop import CUSTOMERS, DAYS, drop_day
from workbench import ORDER_COLUMNS, Workbench

from receivers import Robot, robot

pytestmark = pytest.mark.e2e

PEOPLE = {customer: (f"1390000{place:04d}", f"somebody{place:02d}@mail.example.com")
          for place, customer in enumerate(CUSTOMERS, start=1)}  # fmt: skip
STRAY = ("13711112222", "110101199003074578", "secret.person@mail.example.com", "韩梅梅")
"""Personal data where nobody expects it: in cells that do not parse."""
CHAIN = (
    *(
        "receive_files",
        "gate_raw",
        "promote_batches",
        "announce_exports",
        "plan_build",
        "build_staging",
        "gate_staging",
    ),
    *("build_marts", "gate_marts", "publish_marts", "select_members", "gate_audience", "write_files", "gate_published"),
    "promote_audiences",
)


@dataclass(frozen=True)
class Seen:
    """The home after a good day and a day with a broken export, run twice; what was printed and sent."""

    bench: Workbench
    robot: Robot
    printed: str


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    folder = tmp_path_factory.mktemp("operator")
    with robot() as server:
        environment = {
            "RENQUN_LOG_FORMAT": "json",
            "RENQUN_METRICS_FILE": str(folder / "seen" / "renqun.prom"),
            "OPENLINEAGE__TRANSPORT__TYPE": "file",
            "OPENLINEAGE__TRANSPORT__LOG_FILE_PATH": str(folder / "seen" / "lineage.jsonl"),
            "ROBOT_URL": server.address,
        }
        (folder / "seen").mkdir()
        bench = replace(Workbench(folder / "home"), environment=environment)
        bench.shops("shops: [{id: default, publish_by: '08:00', alerts: [{kind: wecom, url_env: ROBOT_URL}]}]")
        members = [f"{customer},{phone},{address}" for customer, (phone, address) in PEOPLE.items()]
        bench.drop("profiles", DAYS[0], "members.csv", "\n".join(["customer_id,phone,email", *members]) + "\n")
        drop_day(bench, 1)
        bench.orders(DAYS[0], *(_bad_row(n, text) for n, text in enumerate(STRAY)), name="more.csv")
        printed = bench.done("run", "--date", DAYS[0]).text
        assert server.bodies == []
        drop_day(bench, 2, orders=False)
        bench.orders(DAYS[1], *(_bad_row(n, STRAY[n % 4]) for n in range(40)))
        for _ in range(2):
            stopped = bench.renqun("run", "--date", DAYS[1])
            assert stopped.exit_code in (1, 2), stopped.text
            printed += stopped.text
        yield Seen(bench, server, printed)


def _bad_row(number: int, text: str) -> str:
    """An order whose quantity, price and time are somebody's phone, id, address or name."""
    cells = {"order_id": f"bad-{number}", "item_id": "item-1", "quantity": text, "unit_price": text, "ordered_at": text}
    return ",".join(cells.get(name, "") for name in ORDER_COLUMNS.split(","))


def test_one_cause_is_one_message_however_often_it_runs(seen: Seen) -> None:
    [body] = seen.robot.bodies
    text = body["markdown"]["content"]
    assert f"renqun default {DAYS[1]}: " in text
    assert "default__ingest_orders / " in text
    assert "docs/runbooks/" in text
    (told,) = json.loads((seen.bench.shop() / "quality" / "alerts.json").read_text(encoding="utf-8"))["told"]
    assert (told["times"], told["channels"], told["mended_at"]) == (2, ["wecom:ROBOT_URL"], None)


def test_every_task_is_in_the_ledger_with_its_numbers(seen: Seen) -> None:
    query = "select stage, verdict, rows, seconds, peak_memory_bytes, version from run_ledger where ds = '{}'"
    runs = json.loads(seen.bench.done("sql", query.format(DAYS[0]), "--json").stdout)
    assert {run["stage"] for run in runs} == set(CHAIN)
    assert {run["verdict"] for run in runs} == {"done"}
    assert all(run["seconds"] > 0 and run["peak_memory_bytes"] > 0 for run in runs)
    rows = {run["stage"]: run["rows"] for run in runs}
    assert rows["publish_marts"] > 0
    # Three groups were received: members among them, one a customer.
    assert len(CUSTOMERS) in [run["rows"] for run in runs if run["stage"] == "receive_files"]
    ended = json.loads(seen.bench.done("sql", query.format(DAYS[1]), "--json").stdout)
    assert {run["verdict"] for run in ended} > {"done"}


def test_lineage_and_metrics_tell_the_same_runs(seen: Seen) -> None:
    folder = seen.bench.home.parent / "seen"
    events = [json.loads(line) for line in (folder / "lineage.jsonl").read_text(encoding="utf-8").splitlines()]
    ended = [event for event in events if event["eventType"] != "START"]
    assert {event["job"]["name"].rsplit(".", 1)[1] for event in ended} == set(CHAIN)
    assert sorted(event["run"]["runId"] for event in ended) == sorted(
        event["run"]["runId"] for event in events if event["eventType"] == "START"
    )
    kept, printed = (folder / "renqun.prom").read_text(encoding="utf-8"), seen.bench.done("metrics").stdout
    assert 'renqun_stage_ok{shop="default",dag="build_marts",stage="publish_marts"} 1' in kept
    assert _without_times(kept) == _without_times(printed)


def test_status_is_one_screen_and_says_what_is_next(seen: Seen) -> None:
    state: Any = seen.bench.json("status")
    assert state["published_marts"]["as_of"] == DAYS[0]
    assert {run["stage"] for run in state["stages"]} == set(CHAIN)
    assert state["late"]["lacks"]
    assert state["open_alerts"] == 1
    text = seen.bench.done("status").stdout
    steps = text[text.index("next:") :]
    assert "is late since" in steps
    assert "docs/runbooks/" in steps
    # Two ingest DAGs have worked, the tables of gates and audiences are summed up: no mart has a line of its own.
    assert len(text.splitlines()) < 110
    assert "agg_markov_removal_effects" not in text
    assert "agg_markov_removal_effects" in seen.bench.done("status", "--details").stdout


def test_logs_for_programs_are_json_lines(seen: Seen) -> None:
    logs = sorted((seen.bench.home / "airflow" / "embedded" / "logs" / "default").glob("*.log"))
    assert len(logs) == 3
    lines = [json.loads(line) for line in logs[0].read_text(encoding="utf-8").splitlines()]
    assert {"at", "level", "logger", "message", "shop"} <= set.intersection(*(set(line) for line in lines))
    assert {line["shop"] for line in lines} == {"default"}
    assert any("gate marts" in line["message"] for line in lines)


def test_nothing_that_an_operator_sees_names_a_person(seen: Seen) -> None:
    personal = [*STRAY, *(text for pair in PEOPLE.values() for text in pair)]
    places = [*_files(seen.bench.home / "airflow"), *_files(seen.bench.shop() / "quality")]
    places += [*_files(seen.bench.home.parent / "seen"), *(seen.bench.shop() / "warehouse").rglob("*.log")]
    assert len(places) > 20
    texts = {str(file): file.read_bytes().decode(errors="replace") for file in places}
    texts |= {"printed": seen.printed, "sent": json.dumps(seen.robot.bodies, ensure_ascii=False)}
    guilty = {name: word for name, text in texts.items() for word in personal if word in text}
    assert guilty == {}
    # The test can see: what was dropped is in the house.
    raw = b"".join(file.read_bytes() for file in _files(seen.bench.shop() / "landing"))
    assert all(word.encode() in raw for word in personal)


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and not file.is_symlink()]


def _without_times(text: str) -> list[str]:
    return [line for line in text.splitlines() if "metrics_timestamp" not in line]
