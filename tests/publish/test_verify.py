"""Each way to tamper with a version is found, by the name of what is wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shop_of_marts import TestShop, audience, day

from renqun.errors import RequestError
from renqun.publish import files
from renqun.publish.manifest import AudienceManifest, read_audience_manifest, to_text, with_version
from renqun.publish.published_schemas import json_schemas
from renqun.publish.verify import VerifyReport, verify

SCHEMAS = Path(files.__file__).parent / "schemas"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> TestShop:
    """Two days of champions; on the second two leave and one comes."""
    shop = TestShop.at(tmp_path_factory.mktemp("home"))
    shop.warehouse.sessions = {day(0): 4, day(1): 6}
    everybody = [f"c{number:02}" for number in range(20)]
    shop.warehouse.set_members("champions", everybody, day(0))
    shop.publish_day(day(0))
    shop.warehouse.set_members("champions", [*everybody[:18], "new"], day(1))
    shop.publish_day(day(1))
    return shop


@pytest.fixture
def version(published: TestShop, tmp_path: Path) -> Path:
    """A copy of the second version of the audience, alone, as somebody downstream has it."""
    (source,) = (published.audiences / "champions" / f"as_of={day(1)}").glob("[0-9a-f]*")
    return writable_copy(source, tmp_path / source.name)


@pytest.fixture
def marts(published: TestShop, tmp_path: Path) -> Path:
    """A copy of the second version of the marts, with its parts beside it."""
    writable_copy(published.marts / "parts", tmp_path / "marts" / "parts")
    source = (published.marts / "latest").resolve()
    return writable_copy(source, tmp_path / "marts" / source.parent.name / source.name)


def writable_copy(source: Path, target: Path) -> Path:
    """A copy that can be tampered with, whoever runs the tests."""
    shutil.copytree(source, target)
    for path in target.rglob("*"):
        path.chmod(path.stat().st_mode | 0o200)
    return target


def ids(report: VerifyReport) -> set[str]:
    return {failure.id for failure in report.failures}


def change(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    """Edit the manifest as JSON."""
    file = folder / "manifest.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    edit(content)
    file.write_text(json.dumps(content), encoding="utf-8")


def forge(folder: Path, **update: Any) -> None:
    """A forger who takes care: new digests, rows, and version, all in accord with the files."""
    manifest = read_audience_manifest(folder)
    with files.workbench() as connection:
        entries = {}
        for name, entry in manifest.files.items():
            facts = files.facts_of(connection, folder / name)
            entries[name] = entry.model_copy(
                update={"sha256": facts.sha256, "bytes": facts.bytes, "rows": facts.rows, "columns": facts.columns}
            )
    forged: AudienceManifest = with_version(manifest.model_copy(update={"files": entries} | update))
    (folder / "manifest.json").write_text(to_text(forged), encoding="utf-8")


def rewrite(folder: Path, name: str, query: str) -> None:
    """Write a Parquet file anew from a query over itself."""
    file = folder / name
    with files.workbench() as connection:
        rows = connection.execute(query.format(f"read_parquet('{file}', hive_partitioning = false)")).fetchall()
        schema = files.columns_of(files.read_parquet(connection, file))
        columns = ", ".join(f'"{column}" {kind}' for column, kind in schema)
        connection.execute(f"create table t ({columns})")
        if rows:
            connection.executemany(f"insert into t values ({', '.join('?' * len(schema))})", rows)
        files.write_parquet(connection.sql("select * from t"), file)


def test_an_untouched_copy_passes_wherever_it_is(version: Path, tmp_path: Path) -> None:
    report = verify(version)
    assert report.passed, report.failures
    assert (report.kind, report.version, report.files_checked) == ("audience", version.name, 7)
    renamed = version.rename(tmp_path / "champions of march")
    assert verify(renamed).passed


def flip_a_byte(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(bytes(content))


def append(folder: Path, name: str, text: str) -> None:
    with (folder / name).open("a", encoding="utf-8") as stream:
        stream.write(text)


def link(folder: Path, name: str, target: str) -> None:
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(target)


TAMPERING: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "one person in place of another": (
        lambda f: (f / "removed.csv").write_text("customer_key\nc17\nc19\n", encoding="utf-8"),
        {"wrong_sha256"},
    ),
    "one more row": (
        lambda f: append(f, "canonical.csv", "intruder,2026-03-01\n"),
        {"wrong_sha256", "wrong_bytes", "wrong_rows"},
    ),
    "another column": (
        lambda f: (f / "removed.csv").write_text("phone\nc18\nc19\n", encoding="utf-8"),
        {"wrong_columns", "wrong_sha256", "wrong_bytes"},
    ),
    "no text": (
        lambda f: (f / "added.csv").write_bytes(b"\xff\xfe\x00"),
        {"unreadable_file", "wrong_sha256", "wrong_bytes"},
    ),
    "no Parquet": (
        lambda f: (f / "added.parquet").write_bytes(b"PAR1"),
        {"unreadable_file", "wrong_sha256", "wrong_bytes"},
    ),
    "a file gone": (lambda f: (f / "removed.csv").unlink(), {"missing_file"}),
    "a file more": (lambda f: (f / "extra.csv").write_text("x\n"), {"unexpected_file"}),
    "a folder more": (lambda f: (f / "extra").mkdir(), {"unexpected_file"}),
    "a link in place of a file": (lambda f: link(f, "canonical.csv", "/etc/hostname"), {"symlink"}),
    "a link more": (lambda f: link(f, "other", "/etc"), {"symlink"}),
    "no manifest": (lambda f: (f / "manifest.json").unlink(), {"manifest_missing"}),
    "half a manifest": (lambda f: (f / "manifest.json").write_text('{"kind":'), {"manifest_invalid"}),
    "a deep manifest": (lambda f: (f / "manifest.json").write_text("[" * 100_000), {"manifest_invalid"}),
    "a list as manifest": (lambda f: (f / "manifest.json").write_text("[]"), {"manifest_invalid"}),
    "the manifest as link": (lambda f: link(f, "manifest.json", "/etc/hostname"), {"symlink"}),
    "an unknown key": (lambda f: change(f, lambda m: m.update(note="x")), {"manifest_invalid"}),
    "another schema": (lambda f: change(f, lambda m: m.update(schema_version=2)), {"unknown_schema"}),
    "another kind": (lambda f: change(f, lambda m: m.update(kind="marts ")), {"unknown_schema"}),
    "another date": (lambda f: change(f, lambda m: m.update(as_of="2026-03-05")), {"wrong_version"}),
    "another purpose": (lambda f: change(f, lambda m: m.update(purpose="spam")), {"wrong_version"}),
    "later expiry": (lambda f: change(f, lambda m: m.update(expires_on="2036-01-01")), {"wrong_version"}),
    "another version": (lambda f: change(f, lambda m: m.update(version="0" * 16)), {"wrong_version"}),
    "a path upwards": (
        lambda f: change(f, lambda m: m["files"].update({"../x": m["files"]["added.csv"]})),
        {"unsafe_path"},
    ),
    "an absolute path": (
        lambda f: change(f, lambda m: m["files"].update({"/etc/passwd": m["files"]["added.csv"]})),
        {"unsafe_path"},
    ),
    "a file not named": (
        lambda f: change(f, lambda m: m["files"].pop("added.csv")),
        {"wrong_version", "missing_file", "unexpected_file"},
    ),
    "wrong rows": (
        lambda f: change(f, lambda m: m["files"]["added.csv"].update(rows=9)),
        {"wrong_version", "wrong_rows"},
    ),
    "no gates": (lambda f: change(f, lambda m: m.update(gates=[])), {"gate_missing"}),
    "one gate": (lambda f: change(f, lambda m: m["gates"].pop()), {"gate_missing"}),
    "a failed gate": (lambda f: change(f, lambda m: m["gates"][0].update(verdict="failed")), {"gate_failed"}),
}


@pytest.mark.parametrize("kind", sorted(TAMPERING))
def test_tampering_with_an_audience_is_named(version: Path, kind: str) -> None:
    tamper, expected = TAMPERING[kind]
    tamper(version)
    assert ids(verify(version)) == expected


MEMBERS_TWICE = "select * from {0} union all (select * from {0} order by 1 limit 1) order by 1"
FORGERIES: dict[str, tuple[Callable[[Path], object], str]] = {
    "somebody twice": (lambda f: rewrite(f, "members.parquet", MEMBERS_TWICE), "duplicate_members"),
    "another order": (lambda f: rewrite(f, "members.parquet", "from {} order by 1 desc"), "not_sorted"),
    "another person in the CSV": (
        lambda f: (f / "removed.csv").write_text("customer_key\nc17\nc19\n", encoding="utf-8"),
        "csv_differs",
    ),
    "a stranger added": (
        lambda f: rewrite(f, "added.parquet", "select 'stranger', entered_on, reason from {}"),
        "added_inconsistent",
    ),
    "a member removed": (
        lambda f: rewrite(f, "removed.parquet", "select 'c00' union all select 'c19'"),
        "removed_inconsistent",
    ),
    "nobody removed": (lambda f: rewrite(f, "removed.parquet", "from {} limit 0"), "counts_inconsistent"),
}


@pytest.mark.parametrize("kind", sorted(FORGERIES))
def test_a_consistent_forgery_still_contradicts_itself(version: Path, tmp_path: Path, kind: str) -> None:
    tamper, expected = FORGERIES[kind]
    tamper(version)
    forge(version)
    copied = version.rename(tmp_path / "copied")
    assert expected in ids(verify(copied))


def test_a_first_version_that_does_not_add_everybody_is_no_first_version(version: Path, tmp_path: Path) -> None:
    forge(version, previous=None)
    assert "added_inconsistent" in ids(verify(version.rename(tmp_path / "copied")))


def test_a_renamed_version_is_found(version: Path, tmp_path: Path) -> None:
    assert ids(verify(version.rename(tmp_path / ("f" * 16)))) == {"wrong_version"}


def test_a_pointer_is_for_one_manifest(published: TestShop, tmp_path: Path) -> None:
    copied = writable_copy(published.audiences / "champions", tmp_path / "champions")
    assert verify(copied / "latest.json").passed
    (folder,) = (copied / f"as_of={day(1)}").glob("[0-9a-f]*")
    # Provenance stands apart from the version: only the pointer knows that it was changed.
    change(folder, lambda content: content["provenance"].update(code_revision="another"))
    assert verify(folder).passed
    assert ids(verify(copied / "latest.json")) == {"wrong_pointer"}


def test_an_untouched_copy_of_the_marts_passes(marts: Path) -> None:
    report = verify(marts)
    assert report.passed, report.failures
    assert report.notes == []
    # Four tables, the database, the script, and a part for each of two days.
    assert report.files_checked == 10


def test_marts_without_their_parts_say_what_was_not_looked_at(marts: Path, tmp_path: Path) -> None:
    alone = marts.rename(tmp_path / marts.name)
    report = verify(alone)
    assert report.passed, report.failures
    assert report.notes == [
        "2 parts of fct_events, fct_sessions (2026-03-01 to 2026-03-02) are not beside the folder"
        " and were not looked at"
    ]


def part_of(folder: Path) -> Path:
    return next((folder.parent.parent / "parts" / "fct_sessions").iterdir())


def part_entry(manifest: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = manifest["partitioned"]["fct_sessions"]["parts"][0]
    return entry


MARTS_TAMPERING: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "a byte of a mart": (lambda f: flip_a_byte(f, "fct_orders.parquet"), {"wrong_sha256"}),
    "a byte of the database": (lambda f: flip_a_byte(f, "marts.duckdb"), {"wrong_sha256"}),
    "the script": (lambda f: append(f, "open.sql", "drop schema marts;\n"), {"wrong_sha256"}),
    "a mart gone": (lambda f: (f / "fct_orders.parquet").unlink(), {"missing_file"}),
    "no database": (lambda f: (f / "marts.duckdb").unlink(), {"missing_file"}),
    "a file more": (lambda f: (f / "phones.csv").write_text("x"), {"unexpected_file"}),
    "a part gone": (lambda f: part_of(f).unlink(), {"missing_part"}),
    "a part as link": (
        lambda f: link(part_of(f).parent, part_of(f).name, "/etc/hostname"),
        {"symlink"},
    ),
    "rows of a part": (
        lambda f: change(f, lambda m: part_entry(m).update(rows=99)),
        {"wrong_version", "wrong_rows", "counts_inconsistent"},
    ),
    "a part elsewhere": (
        lambda f: change(f, lambda m: part_entry(m).update(path="parts/../../../etc/passwd")),
        {"unsafe_path"},
    ),
    "a part of another mart": (
        lambda f: change(
            f, lambda m: part_entry(m).update(path="parts/fct_events/2026-03-01-0123456789abcdef.parquet")
        ),
        {"unsafe_path"},
    ),
    "another digest of a mart": (
        lambda f: change(f, lambda m: m["tables"]["fct_orders"].update(sha256="0" * 64)),
        {"wrong_version", "wrong_sha256"},
    ),
    "a mart with a path": (
        lambda f: change(f, lambda m: m["tables"].update({"../../x": m["tables"]["fct_orders"]})),
        {"unsafe_path"},
    ),
    "no gates": (lambda f: change(f, lambda m: m.update(gates=[])), {"gate_missing"}),
}


@pytest.mark.parametrize("kind", sorted(MARTS_TAMPERING))
def test_tampering_with_marts_is_named(marts: Path, kind: str) -> None:
    tamper, expected = MARTS_TAMPERING[kind]
    tamper(marts)
    assert ids(verify(marts)) - {"unreadable_file"} == expected


def test_a_flipped_part_is_named(marts: Path) -> None:
    part = part_of(marts)
    flip_a_byte(part.parent, part.name)
    assert "wrong_sha256" in ids(verify(marts))


def test_what_is_no_version_is_a_wrong_request(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="there is no version to verify"):
        verify(tmp_path / "nothing")
    (tmp_path / "latest.json").write_text('{"path": "../../etc"}', encoding="utf-8")
    with pytest.raises(RequestError, match="names a path that is none of a version"):
        verify(tmp_path / "latest.json")


def test_the_published_schemas_are_those_of_the_program() -> None:
    assert {file.name: file.read_text(encoding="utf-8") for file in SCHEMAS.iterdir()} == json_schemas()


def test_the_real_gates_pass_a_sound_audience_and_stop_a_bad_one(tmp_path: Path) -> None:
    from renqun.publish.audiences import gate_files, gate_members, promote, select_members, write_files

    shop = TestShop.at(tmp_path / "home")
    shop.warehouse.enter("champions", [f"{number:032x}" for number in range(5)], day(0))
    shop.warehouse.enter("interest", ["twice", "twice"], day(0))
    shop.publish_marts(day(0))
    ctx = shop.ctx(day(0))
    select_members(ctx, audiences=[audience(), audience("interest"), audience("key_winback")])
    assert set(gate_members(ctx).held_back) == {"interest"}
    assert set(write_files(ctx).written) == {"champions", "key_winback"}
    assert gate_files(ctx).held_back == {}
    report = promote(ctx)
    assert {one.audience_id: one.status for one in report.outcomes} == {
        "champions": "published",
        "interest": "held_back",
        "key_winback": "empty",
    }
    assert verify(shop.version_of(report)).passed
