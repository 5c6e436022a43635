"""A home and its shops: strict, with defaults that work without a file."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from renqun.errors import ExitCode, RequestError
from renqun.run import RunContext, parse_date
from renqun.settings import Home


def _home(tmp_path: Path, shops_yml: str) -> Home:
    (tmp_path / "shops.yml").write_text(shops_yml, encoding="utf-8")
    return Home(tmp_path)


def test_there_is_a_default_shop_when_no_file_says_otherwise(tmp_path: Path) -> None:
    (shop,) = Home(tmp_path).shops()
    assert (shop.id, shop.time_zone, shop.currency, shop.expect) == (
        "default",
        "Asia/Shanghai",
        "CNY",
        ("orders", "traffic"),
    )


def test_a_shop_needs_only_an_id(tmp_path: Path) -> None:
    home = _home(tmp_path, "shops: [{id: london, time_zone: Europe/London, expect: [orders]}]")
    assert home.shop("london").expect == ("orders",)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("shops: [{id: a, colour: red}]", "colour"),
        ("shops: [{id: A}]", "a-z"),
        ("shops: [{id: a__b}]", "__"),
        ("shops: [{id: a, time_zone: Asia/Atlantis}]", "Atlantis"),
        ("shops: [{id: a, time_zone: ../etc}]", "time zone"),
        ("shops: [{id: a}, {id: a}]", "more than once"),
        ("shops: [{id: a, expect: [weather]}]", "orders"),
        ("shops: [", "cannot be read"),
        ("[]", "cannot be read"),
    ],
)
def test_shops_yml_is_refused_when_it_is_wrong(tmp_path: Path, content: str, named: str) -> None:
    with pytest.raises(RequestError, match=r"(?s).") as caught:
        _home(tmp_path, content).shops()
    assert named in str(caught.value)
    assert caught.value.exit_code is ExitCode.BAD_REQUEST


def test_an_unknown_shop_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(RequestError) as caught:
        _home(tmp_path, "shops: [{id: a}, {id: b}]").shop("c")
    assert "a, b" in str(caught.value)


def test_the_end_of_a_day_is_the_last_microsecond_in_the_shops_zone(tmp_path: Path) -> None:
    shop = Home(tmp_path).shop("default")
    assert shop.end_of_day(date(2026, 3, 31)).astimezone(UTC) == datetime(2026, 3, 31, 15, 59, 59, 999999, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-02-30", "20260201", "2026-W05-1", "today", "", "2026-2-1"])
def test_a_date_is_refused_when_it_is_not_written_as_one(text: str) -> None:
    with pytest.raises(RequestError, match="YYYY-MM-DD"):
        parse_date(text)


def test_a_run_finds_its_shops_folders(tmp_path: Path) -> None:
    run = RunContext.of("default", "2026-03-31", home=Home(tmp_path))
    assert run.paths.warehouse == tmp_path / "default" / "warehouse" / "renqun.duckdb"
