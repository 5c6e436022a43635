"""A person is erased from a shop that has published: nothing of them is left in any byte, and they do not come back."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from small_shop import DAYS, day, drop_day
from workbench import Workbench, differences

from renqun.persons.tombstones import ERASED_REASON
from renqun.publish.verify import verify

pytestmark = pytest.mark.e2e

PHONE, EMAIL = "13775502005", "five@example.org"
SHOP = "shops:\n  - {id: default, publishing: {holdout: '0.2'}}\n"


def _drop(bench: Workbench) -> None:
    bench.shops(SHOP)
    for number in (1, 2, 3):
        drop_day(bench, number)
    members = "customer_id,joined_at,phone,email\n" + "".join(
        f"customer-{n:02},2026-02-0{1 + n % 9} 10:00:00,+86 137-7550-20{n:02},person{n}@example.org\n"
        for n in range(1, 25)
    )
    bench.drop("profiles", DAYS[0], "members.csv", members.replace("person5@example.org", EMAIL))
    consent = "phone,channel,purpose,granted,recorded_at\n" + "".join(
        f"137755020{n:02},{channel},marketing,true,2026-02-10 10:00:00\n"
        for n in range(1, 25)
        for channel in ("ads", "sms", "email")
    )
    bench.drop("profiles", DAYS[0], "consent.csv", consent)
    # A row that was set aside: its text is kept.
    bench.orders(
        DAYS[1], f"bad,,customer-05,{DAYS[1]} 10:00:00,,paid,item-1,Tea,c1,-1,1.00,,1.00,,,CNY,", name="bad.csv"
    )


def _texts(home: Path):
    """Everything that can be read out of a home: bytes as they lie, what is packed in them, and the cells of tables."""
    for file in sorted(path for path in home.rglob("*") if path.is_file() and not path.is_symlink()):
        content = file.read_bytes()
        yield file, content.decode("utf-8", "replace")
        if content[:2] == b"\x1f\x8b":
            yield file, gzip.decompress(content).decode("utf-8", "replace")
        if content[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for name in archive.namelist():
                    yield file, archive.read(name).decode("utf-8", "replace")
        if file.suffix == ".parquet":
            yield file, str(duckdb.sql(f"select * from read_parquet('{file}', hive_partitioning = false)").fetchall())
        if file.suffix == ".duckdb":
            with duckdb.connect(str(file), read_only=True) as connection:
                for schema, table in connection.execute(
                    "select schema_name, table_name from duckdb_tables()"
                ).fetchall():
                    yield file, str(connection.execute(f'from "{schema}"."{table}"').fetchall())


def _naming(home: Path, words: set[str]) -> dict[str, set[str]]:
    """By file: which of the words stand in it, each between what is no letter, digit or hyphen."""
    pattern = re.compile("(?<![0-9A-Za-z-])(" + "|".join(map(re.escape, sorted(words))) + ")(?![0-9A-Za-z-])")
    found: dict[str, set[str]] = {}
    for file, text in _texts(home):
        if hits := set(pattern.findall(text)):
            found.setdefault(str(file.relative_to(home)), set()).update(hits)
    return found


def _words(bench: Workbench) -> set[str]:
    """By what the person is known: told by the test's own exports and by the marts, not by the code that erases."""
    with bench.marts() as marts:
        key, orders = marts.execute(
            "select any_value(c.customer_key), list(o.order_id) from dim_customers as c"
            " join fct_orders as o using (customer_key) where list_contains(c.customer_ids, 'customer-05')"
        ).fetchall()[0]
    e164 = f"+86{PHONE}"
    hashes = [
        digest(form.encode()).hexdigest()
        for form in (PHONE, e164, e164[1:], EMAIL)
        for digest in (hashlib.sha256, hashlib.md5)
    ]
    return {"customer-05", "visitor-05", key, EMAIL, PHONE, e164, e164[1:], "137-7550-2005", *orders, *hashes}


@pytest.fixture(scope="module")
def erased(tmp_path_factory: pytest.TempPathFactory):
    """The shop after the erasure: its home, the words of the person, who else there was, and the report."""
    bench = Workbench(tmp_path_factory.mktemp("erase") / "home")
    _drop(bench)
    bench.done("run", "--from", DAYS[0], "--to", DAYS[1])
    bench.done("run", "--date", DAYS[2])
    words = _words(bench)
    before = _naming(bench.home, words)
    assert any("landing" in file for file in before)
    assert any("warehouse" in file for file in before)
    assert any("published/marts" in file for file in before)
    assert any("published/audiences" in file for file in before)
    outcome = bench.renqun("erase", "customer", EMAIL.upper(), "--json")
    return bench, words, outcome


def test_the_recall_files_wait_for_the_operator_and_nothing_else_names_the_person(erased) -> None:
    bench, words, outcome = erased
    assert outcome.exit_code == 1, outcome.text
    report = json.loads(outcome.stdout)
    assert report["status"] == "recalls_to_serve"
    assert report["recalls"]
    assert not any(report["left"].values()), report["left"]
    assert report["versions"] > 0
    assert report["needs_build"]
    naming = {file for file in _naming(bench.home, words) if "/erasures/" not in file and "/erasing/" not in file}
    assert naming == set()
    assert not any(word in outcome.text for word in words)


def test_every_version_verifies_and_says_that_rows_were_erased(erased) -> None:
    bench, _, _ = erased
    notes = []
    for version in _versions(bench):
        found = verify(bench.home / version)
        assert found.passed, found.failures
        notes += found.notes
    assert any("rows were erased since it was published, of 1 people" in note for note in notes)


def test_once_served_nothing_is_left_and_the_person_does_not_come_back(erased) -> None:
    bench, words, outcome = erased
    fingerprint = json.loads(outcome.stdout)["fingerprint"]
    served = bench.json("erase", "served", fingerprint, "--by", "ming")
    assert (served["status"], served["recalls"], served["recalls_served_by"]) == ("proven", [], "ming")
    assert _naming(bench.home, words) == {}

    # The same exports again, two of them with other bytes, and a new day that names the person.
    _drop(bench)
    bench.orders(
        DAYS[0], *day(1).orders, f"more,,customer-06,{DAYS[0]} 11:00:00,,open,item-1,Tea,c1,1,1.00,,1.00,,,CNY,"
    )
    drop_day(bench, 4)
    rows = bench.json("run", "--from", DAYS[0], "--to", DAYS[3])
    assert rows["passes"][0]["build"]
    naming = set(_naming(bench.home, words))
    assert naming
    assert all(file.startswith("default/landing/") for file in naming)
    with bench.marts() as marts:
        customers = marts.execute("select list(customer_ids) from dim_customers").fetchall()[0][0]
        orders = marts.execute("select count(*) from fct_orders").fetchall()[0][0]
    assert len(customers) == 23
    assert ["customer-05"] not in customers
    told = [row.split(",")[0] for n in (1, 2, 3, 4) for row in day(n).orders if "customer-05" not in row]
    assert orders == len(set(told)) + 1
    ledger = bench.json("batches", "list")
    assert all(ERASED_REASON in one["rows_left_out"] for one in ledger if one["source"] in ("members", "consent"))

    # What lies in the drop folder goes at the next call, by any name of the person.
    again = bench.json("erase", "customer", PHONE)
    assert again["status"] == "proven"
    assert again["fingerprint"] == fingerprint
    assert _naming(bench.home, words) == {}


def test_a_restored_home_verifies_alike_and_its_next_run_gives_the_same(erased, tmp_path: Path) -> None:
    bench, _, _ = erased
    restored = Workbench(tmp_path / "restored")
    bench.done("backup", str(tmp_path / "kept"))
    restored.done("restore", str(tmp_path / "kept"))
    for version in _versions(bench):
        before, after = (verify(home / version) for home in (bench.home, restored.home))
        assert before.passed, before.failures
        assert replace(after, path=before.path) == before
    for one in (bench, restored):
        drop_day(one, 5)
        one.done("run", "--date", DAYS[4])
    assert differences(bench, restored) == {}
    assert _versions(bench) == _versions(restored)


def _versions(bench: Workbench) -> list[Path]:
    """The folders of all published versions, relative to the home: a version is named by its content."""
    manifests = bench.home.glob("default/published/**/as_of=*/*/manifest.json")
    return sorted({file.parent.relative_to(bench.home) for file in manifests})
