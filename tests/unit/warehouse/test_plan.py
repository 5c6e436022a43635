"""Which build follows from what was accepted and what was built: nothing twice, nothing back, nothing forgotten."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from renqun.errors import AlreadyBuilt, BuildSuperseded, RequestError, ShopBusy
from renqun.ingest.ledger import BatchRecord, write_record
from renqun.ingest.promote import withdraw_batch
from renqun.lock import exclusive
from renqun.run import RunContext
from renqun.settings import Home
from renqun.warehouse import fingerprint
from renqun.warehouse.connection import connect
from renqun.warehouse.layers import selection
from renqun.warehouse.plan import (
    BuildPlan,
    finish_build,
    load_plan,
    plan_build,
    progress_file,
    require_batches,
    require_current,
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("RENQUN_LOCK_TIMEOUT_SECONDS", "0")
    return Home(tmp_path)


def _run(home: Home, day: str) -> RunContext:
    return RunContext.of("default", day, home=home)


def _accept(home: Home, name: str, day: str, source: str = "orders") -> Path:
    """An accepted batch as ingest leaves it: Parquet and ledger entry."""
    folder = home.paths("default").raw / source / f"date={day}"
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.sql("select 1 as a").write_parquet(str(folder / f"{name}.parquet"))
    write_record(
        folder / f"{name}.json",
        BatchRecord(
            batch_id=name,
            source=source,
            group="orders",
            ds=date.fromisoformat(day),
            file_name=f"{name}.csv",
            sha256=name * 4,
            size=1,
            format="csv",
            encoding="utf-8",
            header_version="v",
            rows_read=1,
            rows_quarantined=0,
            quarantine_reasons={},
            columns=(),
            missing_columns=(),
            unknown_columns=(),
            verdict="accepted",
        ),
    )
    return folder / f"{name}.parquet"


def _build(home: Home, day: str) -> BuildPlan:
    """Plan a build and take it as published."""
    ctx = _run(home, day)
    plan = plan_build(ctx)
    assert plan is not None
    finish_build(ctx, plan)
    return plan


def test_a_first_build_consumes_every_batch_up_to_its_date(home: Home) -> None:
    _accept(home, "a" * 16, "2026-03-01")
    _accept(home, "b" * 16, "2026-03-02")
    _accept(home, "c" * 16, "2026-03-03")
    plan = plan_build(_run(home, "2026-03-02"))
    assert plan is not None
    assert plan.pending == ("a" * 16, "b" * 16)
    assert (plan.previous_as_of, plan.full_refresh, plan.is_latest, plan.reevaluate) == (None, False, True, ())


def test_nothing_is_built_when_nothing_is_new(home: Home) -> None:
    _accept(home, "a" * 16, "2026-03-01")
    _build(home, "2026-03-01")
    assert plan_build(_run(home, "2026-03-01")) is None


def test_a_next_day_builds_only_its_own_batches(home: Home) -> None:
    _accept(home, "a" * 16, "2026-03-01")
    _build(home, "2026-03-01")
    _accept(home, "b" * 16, "2026-03-02")
    plan = _build(home, "2026-03-02")
    assert (plan.pending, plan.previous_as_of) == (("b" * 16,), date(2026, 3, 1))


def test_late_files_build_once_more_as_of_the_newest_date(home: Home) -> None:
    for name, day in (("a", "2026-03-01"), ("b", "2026-03-02"), ("c", "2026-03-03")):
        _accept(home, name * 16, day)
        _build(home, day)
    _accept(home, "d" * 16, "2026-03-02")
    plan = _build(home, "2026-03-02")
    assert (plan.as_of, plan.pending, plan.previous_as_of) == (date(2026, 3, 3), ("d" * 16,), date(2026, 3, 2))
    assert plan.reevaluate == (date(2026, 3, 2),), "the built dates from the late file's on, but not the newest"


def test_a_batch_of_a_failed_build_is_consumed_by_the_next(home: Home) -> None:
    _accept(home, "a" * 16, "2026-03-01")
    assert plan_build(_run(home, "2026-03-01")) is not None, "planned, never finished"
    _accept(home, "b" * 16, "2026-03-02")
    plan = _build(home, "2026-03-02")
    assert plan.pending == ("a" * 16, "b" * 16)


def test_a_withdrawn_batch_makes_the_next_build_a_full_one(home: Home) -> None:
    _accept(home, "a" * 16, "2026-03-01")
    bad = _accept(home, "b" * 16, "2026-03-01")
    _build(home, "2026-03-01")
    bad.unlink()
    plan = _build(home, "2026-03-01")
    assert (plan.full_refresh, plan.pending) == (True, ("a" * 16,))
    assert plan_build(_run(home, "2026-03-01")) is None


def test_a_batch_withdrawn_after_a_failed_build_is_noticed(home: Home) -> None:
    _accept(home, "a" * 16, "2026-03-01")
    _build(home, "2026-03-01")
    bad = _accept(home, "b" * 16, "2026-03-02")
    assert plan_build(_run(home, "2026-03-02")) is not None, "its rows may be in the tables from here on"
    bad.unlink()
    plan = plan_build(_run(home, "2026-03-02"))
    assert plan is not None
    assert plan.full_refresh


def test_changed_definitions_build_everything_anew(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    _accept(home, "a" * 16, "2026-03-01")
    _build(home, "2026-03-01")
    monkeypatch.setattr(fingerprint, "of_project", lambda shop, *_: "other")
    plan = plan_build(_run(home, "2026-03-01"))
    assert plan is not None
    assert plan.full_refresh


def test_a_build_goes_on_as_it_began_when_its_failing_model_is_repaired(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    _accept(home, "a" * 16, "2026-03-01")
    _build(home, "2026-03-01")
    _accept(home, "b" * 16, "2026-03-02")
    begun = plan_build(_run(home, "2026-03-02"))
    monkeypatch.setattr(fingerprint, "of_project", lambda shop, *_: "repaired")
    assert plan_build(_run(home, "2026-03-02")) == begun
    assert begun is not None
    assert not begun.full_refresh


def _leave_progress(home: Home) -> Path:
    file = progress_file(_run(home, "2026-03-01"), "marts")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("{}")
    return file


def test_a_finished_build_that_is_made_anew_goes_on_from_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    _accept(home, "a" * 16, "2026-03-01")
    _build(home, "2026-03-01")
    file = _leave_progress(home)
    assert plan_build(_run(home, "2026-03-01")) is None
    assert file.exists(), "nothing is planned"
    anew = plan_build(_run(home, "2026-03-01"), full_refresh=True)
    assert anew is not None
    assert not file.exists()
    _leave_progress(home)
    assert plan_build(_run(home, "2026-03-01")) == anew
    assert file.exists(), "this try resumes where it failed"
    finish_build(_run(home, "2026-03-01"), anew)
    monkeypatch.setattr(fingerprint, "of_project", lambda shop, *_: "changed")
    assert plan_build(_run(home, "2026-03-01")) is not None
    assert not file.exists()


def test_an_unfinished_build_that_shall_be_made_anew_goes_on_from_nothing(home: Home) -> None:
    _accept(home, "a" * 16, "2026-03-01")
    _build(home, "2026-03-01")
    _accept(home, "b" * 16, "2026-03-02")
    assert plan_build(_run(home, "2026-03-02")) is not None
    file = _leave_progress(home)
    assert plan_build(_run(home, "2026-03-02"), full_refresh=True) is not None
    assert not file.exists()


def test_a_past_date_goes_on_from_nothing(home: Home) -> None:
    _accept(home, "a" * 16, "2026-03-01")
    _accept(home, "b" * 16, "2026-03-02")
    _build(home, "2026-03-02")
    file = _leave_progress(home)
    assert plan_build(_run(home, "2026-03-02"), as_of=date(2026, 3, 1)) is not None
    assert not file.exists(), "its warehouse is new"


def test_what_an_unfinished_build_left_of_other_definitions_is_built_anew(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    _accept(home, "a" * 16, "2026-03-01")
    _build(home, "2026-03-01")
    original = fingerprint.of_project(home.shop("default"))
    _accept(home, "b" * 16, "2026-03-02")
    monkeypatch.setattr(fingerprint, "of_project", lambda shop, *_: "changed")
    assert plan_build(_run(home, "2026-03-02")) is not None  # begins, and never ends
    monkeypatch.setattr(fingerprint, "of_project", lambda shop, *_: original)
    _accept(home, "c" * 16, "2026-03-03")
    plan = plan_build(_run(home, "2026-03-03"))
    assert plan is not None
    assert plan.full_refresh, "tables of the changed definitions may be there"


def test_a_build_that_continues_leaves_out_what_cannot_have_changed(home: Home) -> None:
    _accept(home, "a" * 16, "2026-03-01")
    first = _build(home, "2026-03-01")
    assert selection(first, "staging") == ["path:seeds", "path:models/staging", "path:models/intermediate"]
    _accept(home, "b" * 16, "2026-03-02")
    second = plan_build(_run(home, "2026-03-02"))
    assert second is not None
    by_folder = ["path:models/*/ga4", "path:models/*/marketing", "path:models/*/traffic"]
    unfed = [*by_folder, "agg_shop_kpis__reconciled", "agg_kpi_gaps__by_day"]
    without = ["--exclude", *unfed]
    assert selection(second, "staging") == [
        "source:raw.orders+1,path:models/staging",
        "path:models/intermediate",
        *without,
    ]
    assert selection(second, "marts") == ["path:models/marts", *without]
    with_marketing = second.model_copy(update={"sources": ("meta_ads", "orders")})
    assert selection(with_marketing, "marts") == [
        "path:models/marts",
        "--exclude",
        *(one for one in unfed if "marketing" not in one),
    ]
    with_all = second.model_copy(update={"sources": ("ga4_events", "meta_ads", "orders", "sycm_shop_daily")})
    assert selection(with_all, "marts") == ["path:models/marts"]
    anew = plan_build(_run(home, "2026-03-02"), full_refresh=True)
    assert anew is not None
    assert "path:seeds" in selection(anew, "staging")
    assert selection(anew, "marts") == ["path:models/marts"]


def test_a_batch_that_is_withdrawn_during_a_build_is_not_published(home: Home) -> None:
    _accept(home, "a" * 16, "2026-03-01")
    _accept(home, "b" * 16, "2026-03-01")
    plan = plan_build(_run(home, "2026-03-01"))
    assert plan is not None
    require_batches(_run(home, "2026-03-01"), plan)
    withdraw_batch(home, home.shop("default"), "b" * 16)
    with pytest.raises(BuildSuperseded, match="was withdrawn"):
        require_batches(_run(home, "2026-03-01"), plan)


def test_an_older_run_builds_as_of_the_newest_date(home: Home) -> None:
    _accept(home, "a" * 16, "2026-03-05")
    _build(home, "2026-03-05")
    _accept(home, "b" * 16, "2026-03-01")
    plan = _build(home, "2026-03-01")
    assert plan.as_of == date(2026, 3, 5)


def test_a_past_date_on_purpose_works_in_a_warehouse_of_its_own(home: Home) -> None:
    for name, day in (("a", "2026-03-01"), ("b", "2026-03-02")):
        _accept(home, name * 16, day)
        _build(home, day)
    ctx = _run(home, "2026-03-02")
    plan = plan_build(ctx, as_of=date(2026, 3, 1))
    assert plan is not None
    assert (plan.is_latest, plan.pending) == (False, ("a" * 16,))
    assert plan.scratch is not None
    assert plan.context(ctx).paths.warehouse == plan.scratch
    require_current(ctx, plan)
    finish_build(ctx, plan)
    assert not plan.scratch.exists()
    assert plan_build(ctx) is None, "the shop's own warehouse has not noticed"


def test_a_build_that_was_overtaken_says_so(home: Home) -> None:
    _accept(home, "a" * 16, "2026-03-01")
    first = plan_build(_run(home, "2026-03-01"))
    _accept(home, "b" * 16, "2026-03-02")
    second = plan_build(_run(home, "2026-03-02"))
    assert first is not None
    assert second is not None
    with pytest.raises(BuildSuperseded, match="overtaken"):
        require_current(_run(home, "2026-03-01"), first)
    require_current(_run(home, "2026-03-02"), second)
    assert load_plan(_run(home, "2026-03-02"), second.build_id) == second


def test_a_build_that_another_run_has_finished_is_no_unknown_build(home: Home) -> None:
    _accept(home, "a" * 16, "2026-03-01")
    mine = plan_build(_run(home, "2026-03-01"))
    others = plan_build(_run(home, "2026-03-01"))
    assert mine is not None
    assert mine == others, "the same exports as of the same date are the same build"
    finish_build(_run(home, "2026-03-01"), mine)
    with pytest.raises(AlreadyBuilt, match="finished by another run"):
        load_plan(_run(home, "2026-03-01"), mine.build_id)
    with pytest.raises(RequestError, match="no build"):
        load_plan(_run(home, "2026-03-01"), "0" * 16)


def test_nothing_to_build_from_is_a_clear_error(home: Home) -> None:
    with pytest.raises(RequestError, match="no accepted export"):
        plan_build(_run(home, "2026-03-01"))


def test_an_override_of_an_unknown_var_is_refused(home: Home) -> None:
    (home.root / "shops.yml").write_text("shops: [{id: default, vars: {intrest_min_days: 2}}]", encoding="utf-8")
    _accept(home, "a" * 16, "2026-03-01")
    with pytest.raises(RequestError, match="intrest_min_days"):
        plan_build(_run(home, "2026-03-01"))


def test_a_busy_shop_is_left_alone(home: Home) -> None:
    _accept(home, "a" * 16, "2026-03-01")
    with exclusive(home.paths("default").writer_lock, "another build"), pytest.raises(ShopBusy, match="another build"):
        plan_build(_run(home, "2026-03-01"))


def test_dbt_is_told_of_each_batch_where_its_file_lies(home: Home) -> None:
    file = _accept(home, "a" * 16, "2026-03-01")
    assert plan_build(_run(home, "2026-03-01")) is not None
    with connect(home.paths("default").warehouse, read_only=True) as connection:
        rows = connection.execute("select batch_id, raw_file, is_pending from ops.batches").fetchall()
        names = connection.execute(
            "select distinct filename from read_parquet(?, filename=true)",
            [f"{home.paths('default').raw}/orders/*/*.parquet"],
        ).fetchall()
    assert rows == [("a" * 16, str(file), True)]
    assert names == [(str(file),)], "the path that dbt's macro compares is the one the engine gives"


def test_a_lost_warehouse_is_built_anew(home: Home) -> None:
    _accept(home, "a" * 16, "2026-03-01")
    _build(home, "2026-03-01")
    shutil.rmtree(home.paths("default").warehouse_dir)
    plan = plan_build(_run(home, "2026-03-01"))
    assert plan is not None
    assert plan.pending == ("a" * 16,)
