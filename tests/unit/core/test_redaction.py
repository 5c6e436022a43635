"""What is masked in logs and messages, and what has to stay readable there."""

from __future__ import annotations

import io
import json
import logging
import sys

import pytest

from renqun.log_lines import RedactedLines, RedactedStream
from renqun.redaction import redact


@pytest.mark.parametrize(
    "personal",
    [
        "13812345678", "+86 138 1234 5678", "138-1234-5678", "8613812345678", "+1 206 555 0123 4", "206-555-01234",
        "wang.fang+x@mail.example.com", "a_b@example.cn", "110101199003074578",
    ],
)  # fmt: skip
def test_phones_addresses_and_long_numbers_are_masked(personal: str) -> None:
    for text in (personal, f"row 7 ({personal}) is wrong", f"phone={personal};", f"'{personal}'", f"：{personal}，"):
        said = redact(text)
        assert personal not in said
        assert "[masked]" in said


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-31 09:10:11,123 INFO renqun: 12,345,678 rows in 3.25 s",
        "from 2026-03-01 to 2026-03-31, 2026-03-31 00:10:59",
        "/srv/renqun/default/raw/orders/date=2026-03-31/0a1b2c3d4e5f60718293a4b5c6d7e8f9.parquet",
        "run manual__2026-04-01T06:00:00.123456+00:00__2026-03-31",
        "build 99887766554433221100aabb as of 2026-03-31, version 0123456789abcdef",
        "log 20260401T060000-2026-03-31.log, process 4711 on host-1",
        "gate marts stopped: fct_orders-adds_up (12345678 failing)",
        "duckdb 2.0.0, 127.0.0.1:8080",
    ],
)
def test_dates_paths_ids_of_ours_and_counts_stay(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Conversion Error: Could not convert string '李雷' to INT64",
        'Invalid Input Error: invalid timestamp field format: "李雷"',
        "CSV Error on Line: 3\nOriginal Line: 7,李雷,9.90\nmore",
        'Constraint Error: Duplicate key "name: 李雷" violates primary key',
    ],
)
def test_what_engines_quote_is_masked(text: str) -> None:
    assert "李雷" not in redact(text)
    assert redact(text).split()[0] == text.split(maxsplit=1)[0]


def _logger(form: str) -> tuple[logging.Logger, io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(RedactedLines(form, shop="default"))  # type: ignore[arg-type]
    logger = logging.Logger("renqun.test")
    logger.addHandler(handler)
    return logger, stream


def test_lines_for_programs_are_json_and_hold_no_person() -> None:
    logger, stream = _logger("json")
    logger.info("reading %s of %s", "orders.csv", "13812345678")
    try:
        int("wang@example.com")
    except ValueError:
        logger.exception("failed\nin two lines")
    first, second = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (first["level"], first["logger"], first["shop"]) == ("info", "renqun.test", "default")
    assert first["message"] == "reading orders.csv of [masked]"
    assert second["message"] == "failed\nin two lines"
    assert "ValueError" in second["trace"]
    assert "wang" not in second["trace"]


def test_lines_for_people_hold_no_person_either() -> None:
    logger, stream = _logger("text")
    logger.warning("who is 138 1234 5678")
    assert stream.getvalue().endswith("WARNING renqun.test: who is [masked]\n")


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_is_printed_goes_the_same_way(form: str) -> None:
    stream = io.StringIO()
    printed = RedactedStream(stream, form, shop="default")  # type: ignore[arg-type]
    print("call 138", file=printed, end="")
    print("12345678", file=printed)
    print('{"phone": "13812345678"}', file=printed)
    print("no end", file=printed, end="")
    printed.end()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3
    assert "12345678" not in stream.getvalue()
    if form == "json":
        assert [json.loads(line)["message"] for line in lines] == ["call [masked]", '{"phone": "[masked]"}', "no end"]
    assert sys.stdout is not printed
