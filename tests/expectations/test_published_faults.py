"""Every critical check on written files catches its fault on the disk, and only that."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from bench_of_checks import bad_ids, bad_ids_by_sql, report_of
from list_faults import FURTHER, LIST_FAULTS, write_lists

from renqun.quality import load_stage
from renqun.quality.audience_files import make_published
from renqun.quality.list_files import make_list
from renqun.storage import sha256_of

SUITES = {suite.object: suite for suite in load_stage("published")}
C1, C2, C3, C4 = (
    f"('{key}', date '2026-03-{day:02}', '{{}}')" for key, day in (("c1", 9), ("c2", 10), ("c3", 10), ("c4", 10))
)


def _copy(target: Path, rows: str, columns: str = "*") -> None:
    people = f"(values {rows}) as t (customer_key, entered_on, reason)"
    duckdb.execute(f"copy (select {columns} from {people}) to '{target}'")


def _seal(folder: Path) -> None:
    """Write the manifest's list of the files as they are now."""
    files = {}
    for file in sorted(folder.iterdir()):
        if file.suffix in {".parquet", ".csv"}:
            reader = "read_parquet" if file.suffix == ".parquet" else "read_csv"
            ((rows,),) = duckdb.execute(f"select count(*) from {reader}('{file}')").fetchall()
            files[file.name] = {"sha256": sha256_of(file), "rows": rows}
    for name, rows in {"sms.txt": 2, "sms_reduce.txt": 1, "tencent.zip": 1}.items():
        files[name] = {"sha256": sha256_of(folder / name), "rows": rows}
    deliveries = {
        "sms": {"full": ["sms.txt"], "append": [], "reduce": ["sms_reduce.txt"]},
        "tencent": {"full": ["tencent.zip"], "append": [], "reduce": []},
    }
    manifest = {"files": files, "deliveries": deliveries}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def _write(folder: Path) -> None:
    write_lists(folder)
    _copy(folder / "members.parquet", f"{C1}, {C2}")
    _copy(folder / "canonical.csv", f"{C1}, {C2}", "customer_key, entered_on")
    _copy(folder / "added.parquet", C2)
    _copy(folder / "added.csv", C2, "customer_key, entered_on")
    _copy(folder / "removed.parquet", C3, "customer_key")
    _copy(folder / "removed.csv", C3, "customer_key")
    _copy(folder / "holdout.parquet", C4)
    _copy(folder / "contacted.parquet", f"{C1}, {C2}", "customer_key, 'sms' as destination")
    _write_lists(folder)
    _seal(folder)


def _write_lists(folder: Path, *more: str) -> None:
    """The list of text messages, and who is taken out of it: somebody who must be left alone by now."""
    (folder / "sms.txt").write_text("\n".join(["13800138001", "13800138002", *more][-2:]) + "\n", encoding="utf-8")
    (folder / "sms_reduce.txt").write_text("13800138003\n", encoding="utf-8")
    with zipfile.ZipFile(folder / "tencent.zip", "w") as archive:
        archive.writestr("tencent.txt", hashlib.md5(b"13800138001").hexdigest() + "\n")


def _write_forbidden(file: Path) -> None:
    """C3 and C4 must be left alone; so must their phones, wherever they would be."""
    cells = [("customer_key", "c3"), ("customer_key", "c4"), ("sms", "13800138003"), ("sms", "13800138004")]
    rows = ", ".join(f"('{to}', sha256('{cell}'))" for to, cell in cells)
    duckdb.execute(f"copy (select * from (values {rows}) as t (destination, cell_sha256)) to '{file}'")


def _address_somebody_else(folder: Path) -> None:
    _write_lists(folder, "13800138003")
    _seal(folder)


def _damage_archive(folder: Path) -> None:
    (folder / "tencent.zip").write_bytes(b"PK and nothing behind it")
    _seal(folder)


def _rewritten(name: str, rows: str, columns: str = "*") -> Callable[[Path], None]:
    def fault(folder: Path) -> None:
        _copy(folder / name, rows, columns)
        _seal(folder)

    return fault


def _sealed(fault: Callable[[Path], None]) -> Callable[[Path], None]:
    def sealed(folder: Path) -> None:
        fault(folder)
        _seal(folder)

    return sealed


def _append_to_manifest(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["removed.csv"]["rows"] = 2
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def _damage(folder: Path) -> None:
    text = (folder / "canonical.csv").read_text(encoding="utf-8").replace("2026-03-09", "2026-03-08")
    (folder / "canonical.csv").write_text(text, encoding="utf-8")


def _cut_off(folder: Path) -> None:
    file = folder / "removed.parquet"
    file.write_bytes(file.read_bytes()[:-20])
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["removed.parquet"]["sha256"] = sha256_of(file)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def _in_canonical(fault_rows: str) -> Callable[[Path], None]:
    return _rewritten("canonical.csv", fault_rows, "customer_key, entered_on")


FAULTS: dict[str, tuple[Callable[[Path], None], set[str]]] = {
    "files-are_there": (lambda folder: (folder / "removed.csv").unlink(), set()),
    "files-are_readable": (_cut_off, {"files-rows_as_listed"}),
    "files-are_listed": (lambda folder: (folder / "notes.txt").write_text("x") and None, set()),
    "files-rows_as_listed": (_append_to_manifest, set()),
    "files-bytes_as_listed": (_damage, set()),
    "file_columns-members_as_agreed": (
        _rewritten("members.parquet", f"{C1}, {C2}", "entered_on, customer_key, reason"), set()),
    "file_columns-canonical_as_agreed": (
        _rewritten("canonical.csv", f"{C1}, {C2}", "entered_on, customer_key"), set()),
    "members_file-key_unique": (
        _rewritten("members.parquet", f"{C1}, {C1}, {C2}"), {"version-files_hold_exactly_the_members"}),
    "members_file-in_key_order": (_rewritten("members.parquet", f"{C2}, {C1}"), set()),
    "version-files_hold_exactly_the_members": (_in_canonical(f"{C1}, {C2}, ('c5', date '2026-03-10', '{{}}')"), set()),
    "version-rows_as_selected": (
        _rewritten("members.parquet", f"('c1', date '2026-03-01', '{{}}'), {C2}"), set()),
    "version-added_are_members": (_rewritten("added.parquet", f"{C2}, ('c5', date '2026-03-10', '{{}}')"), set()),
    "version-removed_are_gone": (_rewritten("removed.csv", f"{C2}, {C3}", "customer_key"), set()),
    **{check_id: (_sealed(fault), implied) for check_id, (fault, implied) in LIST_FAULTS.items()},
    "addressed-nobody_who_must_be_left_alone": (_address_somebody_else, set()),
    "addressed-was_looked_at": (_damage_archive, {"files-are_readable", "files-rows_as_listed"}),
    "holdout_file-nobody_is_a_member": (_rewritten("holdout.parquet", f"{C1}, {C4}"), set()),
}  # fmt: skip


def _look(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    make_published(connection, folder, folder.parent / "expected.parquet", folder.parent / "forbidden.parquet")
    make_list(connection, folder, folder.parent / "chosen.parquet", [folder.parent / "sent.parquet"])


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    opened = duckdb.connect()
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = tmp_path / "version"
    target.mkdir()
    _write(target)
    _copy(tmp_path / "expected.parquet", f"{C1}, {C2}")
    _write_forbidden(tmp_path / "forbidden.parquet")
    return target


@pytest.mark.parametrize("name", sorted(SUITES))
def test_good_files_pass_every_check(connection: duckdb.DuckDBPyConnection, folder: Path, name: str) -> None:
    _look(connection, folder)
    assert bad_ids(report_of(connection, SUITES[name], {})) == set()


@pytest.mark.parametrize("check_id", sorted(FAULTS))
def test_a_fault_fails_its_check_and_no_other(
    connection: duckdb.DuckDBPyConnection, folder: Path, check_id: str
) -> None:
    fault, implied = FAULTS[check_id]
    fault(folder)
    _look(connection, folder)
    suite = SUITES[check_id.partition("-")[0]]
    others = [other for other in SUITES.values() if other is not suite]
    found = bad_ids(report_of(connection, suite, {})) | bad_ids_by_sql(connection, others, {})
    assert found == {check_id, *implied}


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        (_rewritten("members.parquet", f"{C1}, {C3}"), "members.parquet"),
        (_rewritten("contacted.parquet", f"{C1}, {C3}", "customer_key, 'sms' as destination"), "contacted.parquet"),
        (_rewritten("added.csv", f"{C2}, {C3}", "customer_key, entered_on"), "added.csv"),
    ],
)
def test_who_must_be_left_alone_is_found_in_any_file(
    connection: duckdb.DuckDBPyConnection, folder: Path, fault: Callable[[Path], None], found: str
) -> None:
    fault(folder)
    _look(connection, folder)
    rows = connection.execute("select file_name from published.addressed where forbidden_count > 0").fetchall()
    assert rows == [(found,)]


@pytest.mark.parametrize("fault", [_in_canonical(C1), _in_canonical(f"{C1}, {C1}, {C2}")], ids=["missing", "twice"])
def test_one_person_too_few_or_twice_is_caught(
    connection: duckdb.DuckDBPyConnection, folder: Path, fault: Callable[[Path], None]
) -> None:
    fault(folder)
    _look(connection, folder)
    assert bad_ids(report_of(connection, SUITES["version"], {})) == {"version-files_hold_exactly_the_members"}


def test_a_folder_without_members_is_no_version(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    (folder / "members.parquet").unlink()
    _look(connection, folder)
    assert bad_ids(report_of(connection, SUITES["files"], {})) == {"files-are_there"}
    assert bad_ids(report_of(connection, SUITES["members_file"], {})) == {"members_file-is_there"}


@pytest.mark.parametrize("name", sorted(SUITES))
def test_an_empty_relation_fails_unless_its_suite_says_why(
    connection: duckdb.DuckDBPyConnection, folder: Path, name: str
) -> None:
    _look(connection, folder)
    connection.execute(f"create schema aside; create table aside.rows as from published.{name} where false")
    kind = "view" if name == "members_file" else "table"
    connection.execute(f"drop {kind} published.{name}; create table published.{name} as from aside.rows")
    suite = SUITES[name]
    assert bad_ids(report_of(connection, suite, {})) == (set() if suite.may_be_empty else {suite.is_there_id})


@pytest.mark.parametrize("kind", sorted(FURTHER))
def test_a_list_that_is_not_the_chosen_one_is_caught(
    connection: duckdb.DuckDBPyConnection, folder: Path, kind: str
) -> None:
    fault, check_id = FURTHER[kind]
    fault(folder)
    _look(connection, folder)
    assert check_id in bad_ids(report_of(connection, SUITES["triggers_file"], {}))
