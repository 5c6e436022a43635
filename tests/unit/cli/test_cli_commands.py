"""What an operator types, and what comes back: text, JSON, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from renqun.cli.app import app
from renqun.lock import exclusive
from renqun.settings import Home


class Renqun:
    """The command, as installed, on a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "renqun.cli", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "RENQUN_HOME": str(self.home), "COLUMNS": "200"},
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def json(self, *arguments: str) -> object:
        return json.loads(self(*arguments, "--json").stdout)


@pytest.fixture
def renqun(tmp_path: Path) -> Renqun:
    return Renqun(tmp_path / "home")


def test_init_makes_the_home_and_changes_nothing_the_second_time(renqun: Renqun) -> None:
    renqun("init")
    before = (renqun.home / "shops.yml").read_text(encoding="utf-8")
    assert (renqun.home / "default" / "landing" / "orders").is_dir()
    assert "is there already" in renqun("init").stdout
    assert (renqun.home / "shops.yml").read_text(encoding="utf-8") == before


def test_a_shop_is_added_with_its_folders(renqun: Renqun) -> None:
    renqun("init")
    renqun("shop", "add", "seattle", "--time-zone", "America/Los_Angeles", "--currency", "USD", "--expect", "orders")
    shops = {shop["id"]: shop for shop in renqun.json("shop", "list")}  # type: ignore[attr-defined]
    assert set(shops) == {"default", "seattle"}
    assert shops["seattle"]["expect"] == ["orders"]
    assert all(shop["scheduled_since"] for shop in shops.values()), (
        "a scheduler makes up for what it misses from now on"
    )
    assert (renqun.home / "seattle" / "landing" / "traffic").is_dir()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("shop", "add", "Bad"), "must match"),
        (("shop", "add", "default"), "already"),
        (("shop", "add", "x", "--time-zone", "Mars/Base"), "unknown time zone"),
        (("shop", "add", "x", "--expect", "orders,weather"), "expect"),
        (("status", "--shop", "nobody"), "no shop is called 'nobody'"),
        (("run",), "give --date D, or --from D1 and --to D2"),
        (("run", "--date", "2026-02-30"), "is not a date"),
        (("run", "--from", "2026-02-03", "--to", "2026-02-01"), "swap the two dates"),
        (("run", "--from", "2026-02-03"), "--to D2"),
        (("run", "--date", "2026-02-03", "--unknown"), "No such option"),
        (("close-day", "--date", "2026-02-03", "--group", "weather"), "no group is called 'weather'"),
        (("batches", "withdraw", "abc"), "batches begin with 'abc'"),
        (("sql", "select 1"), "no version of the marts was published yet"),
        (("audience", "preview", "nobody"), "no audience is called 'nobody'"),
        (("nosuch",), "No such command"),
    ],
)
def test_a_wrong_request_ends_with_2_and_says_what_to_do(renqun: Renqun, arguments: tuple[str, ...], text: str) -> None:
    done = renqun(*arguments, code=2)
    assert text in done.stderr
    assert "Traceback" not in done.stderr


def test_a_day_without_any_file_is_refused_at_once(renqun: Renqun) -> None:
    done = renqun("run", "--date", "2026-03-08", code=2)
    assert "shop default has no orders and no traffic export of 2026-03-08" in done.stderr
    assert str(renqun.home / "default" / "landing" / "orders" / "2026-03-08") in done.stderr
    assert "renqun close-day --shop default --group orders --date 2026-03-08" in done.stderr
    assert done.stdout == ""


def test_a_second_run_of_a_shop_is_told_who_is_at_work(renqun: Renqun) -> None:
    lock = Home(renqun.home).paths("default").run_lock
    with exclusive(lock, "renqun run 2026-03-07"):
        done = renqun("run", "--date", "2026-03-08", code=3)
        assert "another process is at work on this shop: renqun run 2026-03-07" in done.stderr
        assert renqun.json("status")["at_work"]  # type: ignore[index]
    assert renqun.json("status")["at_work"] == []  # type: ignore[index]


def test_nothing_is_withdrawn_while_somebody_is_at_work(renqun: Renqun) -> None:
    with exclusive(Home(renqun.home).paths("default").run_lock, "renqun run 2026-03-07"):
        done = renqun("batches", "withdraw", "abc", code=3)
    assert "another process is at work on this shop" in done.stderr


def test_a_folder_that_is_no_group_is_named(renqun: Renqun) -> None:
    renqun("init")
    stray = renqun.home / "default" / "landing" / "profile" / "2026-03-08"
    stray.mkdir(parents=True)
    done = renqun("run", "--date", "2026-03-08", code=2)
    assert "landing holds what is no group: profile" in done.stderr
    assert "profiles" in done.stderr


def test_who_asks_for_json_gets_errors_as_json(renqun: Renqun) -> None:
    done = renqun("sql", "select 1", "--json", code=2)
    error = json.loads(done.stdout)["error"]
    assert error["exit_code"] == 2
    assert error["what"] in done.stderr


def test_what_is_no_version_is_a_wrong_request(renqun: Renqun, tmp_path: Path) -> None:
    done = renqun("verify", str(tmp_path), code=2)
    assert "this folder is no version" in done.stderr


def test_an_unknown_threshold_is_told_before_a_run(renqun: Renqun) -> None:
    renqun.home.mkdir()
    (renqun.home / "shops.yml").write_text("shops: [{id: default, vars: {intrest_min_days: 2}}]", encoding="utf-8")
    assert "intrest_min_days" in renqun("status", code=2).stderr


def test_a_damaged_shops_file_is_named(renqun: Renqun) -> None:
    renqun.home.mkdir()
    (renqun.home / "shops.yml").write_text("shops: [{id: default, colour: red}]", encoding="utf-8")
    done = renqun("shop", "list", code=2)
    assert "colour" in done.stderr
    assert "shops.yml" in done.stderr


def test_closing_a_day_is_said_once(renqun: Renqun) -> None:
    assert "already" not in renqun("close-day", "--date", "2026-03-08", "--group", "traffic").stdout
    assert "already" in renqun("close-day", "--date", "2026-03-08", "--group", "traffic").stdout


def test_sources_are_listed_and_a_file_is_recognised(renqun: Renqun, tmp_path: Path) -> None:
    sources = {source["source"] for source in renqun.json("sources", "list")}  # type: ignore[attr-defined]
    assert {"orders", "traffic_events", "traffic_sources", "members", "consent", "taobao_orders"} <= sources
    file = tmp_path / "whatever.txt"
    file.write_text(
        "order_id,ordered_at,item_id,quantity,unit_price,colour\n1,2026-03-08 10:00,i1,1,9.90,red\n", encoding="utf-8"
    )
    found = renqun.json("sources", "check", str(file))
    assert found["source"] == "orders"  # type: ignore[index]
    assert found["unknown_columns"] == ["colour"]  # type: ignore[index]
    text = renqun("sources", "check", str(file)).stdout
    assert "order lines (orders)" in text


def test_a_platform_file_is_shown_without_anybodys_data(renqun: Renqun, tmp_path: Path) -> None:
    file = tmp_path / "whatever.txt"
    file.write_bytes(
        "订单编号,买家会员名,买家应付货款,买家实际支付金额,订单状态,联系手机,订单创建时间,订单付款时间 ,收货人姓名\n"
        '="90210000000000017",某某,"1,234.00","12.30元",交易成功,"\'13000000001",2026/3/8 9:05,2026/3/8 9:06,某人\n'
        '9.02E+16,某某,"1.00","1.00",交易成功,"",2026-03-08 09:05:00,,某人\n,,,,,,,,\n'.encode("gb18030")
    )
    found = renqun.json("sources", "check", str(file), "--date", "2026-03-08")
    assert (found["source"], found["encoding"]) == ("taobao_orders", "gb18030")  # type: ignore[index]
    assert found["counts"]["quarantine_reasons"] == {"digits_lost:order_id": 1}  # type: ignore[index]
    assert found["counts"]["rows_left_out"] == {"blank_row": 1}  # type: ignore[index]
    first = found["preview"][0]  # type: ignore[index]
    assert (first["order_id"], first["order_paid_amount"], first["ordered_at"]) == (
        "90210000000000017", "12.30", "2026-03-08 09:05",
    )  # fmt: skip
    text = renqun("sources", "check", str(file), "--date", "2026-03-08").stdout
    assert "订单付款时间 → paid_at" in text
    assert "digits_lost:order_id" in text
    assert "line 3: digits_lost:order_id" in text
    assert "its last digits are gone; export again" in text
    assert "left out: blank_row: the row holds nothing" in text
    for personal in ("13000000001", "某某", "某人"):
        assert personal not in text
        assert personal not in str(found)


def test_a_file_of_which_nothing_would_count_is_wrong_input(renqun: Renqun, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(
        "order_id,ordered_at,item_id,quantity,unit_price\n1,2026-03-08 10:00,i1,-1,9.90\n", encoding="utf-8"
    )
    text = renqun("sources", "check", str(file), code=2).stdout
    assert text.endswith("this file would be rejected: 1 of 1 rows are set aside\n")
    assert '"rejected_because"' in renqun("sources", "check", str(file), "--json", code=2).stdout


def test_status_of_an_empty_shop_is_no_error(renqun: Renqun) -> None:
    state = renqun.json("status")
    assert state["published_marts"] is None  # type: ignore[index]
    assert state["builds"] == []  # type: ignore[index]
    assert "nobody" in renqun("status").stdout


def _commands(group: TyperGroup, *path: str) -> Iterator[tuple[str, ...]]:
    yield path
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _commands(command, *path, name)
        else:
            yield (*path, name)


def test_every_command_explains_itself(renqun: Renqun) -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    commands = list(_commands(group))
    assert {(), ("run",), ("sources", "check"), ("explain", "customer")} <= set(commands)
    for command in commands:
        told = CliRunner().invoke(app, [*command, "--help"])
        assert (told.exit_code, "--help" in told.stdout) == (0, True), command
    assert "--help" in renqun("--help").stdout


def test_light_commands_import_nothing_heavy(renqun: Renqun) -> None:
    script = (
        "import sys; from renqun.cli.app import app; app(['shop', 'list'], standalone_mode=False);"
        "print([m for m in ('airflow', 'duckdb', 'great_expectations', 'dbt') if m in sys.modules], file=sys.stderr)"
    )
    environment = {**os.environ, "RENQUN_HOME": str(renqun.home)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert done.stderr.splitlines()[-1] == "[]"
