"""Which rows are a person's, in whatever form their identifiers are written, and where else they are named."""

from __future__ import annotations

import base64
import gzip
import io
import re
import zipfile
from pathlib import Path

import duckdb
import pytest
from jinja2 import Environment

from renqun.erase.person import named
from renqun.erase.search import Words
from renqun.persons.identifiers import (
    Identifiers,
    canonical_email,
    canonical_phone,
    columns_of,
    matcher_of,
    md5,
    sha256,
)
from renqun.persons.tombstones import new_tombstones
from renqun.settings import PROJECT_ROOT

PHONE, EMAIL = "+8613800138000", "ann@example.org"
ANN = Identifiers(
    member_id=frozenset({"ann-1", "小安的店铺账号"}),
    open_uid=frozenset({"AAHu-123"}),
    phone_hash=frozenset({sha256(PHONE)}),
    email_hash=frozenset({sha256(EMAIL)}),
    visitor_id=frozenset({"visitor-7"}),
    order_id=frozenset({"order-77"}),
    customer_key=frozenset({"0123456789abcdef0123456789abcdef"}),
    written=frozenset({PHONE, EMAIL, "138-0013-8000"}),
)


@pytest.mark.parametrize(("name", "ours"), [("canonical_phone", canonical_phone), ("canonical_email", canonical_email)])
def test_the_canonical_forms_are_those_of_the_models(name: str, ours) -> None:
    macros = (PROJECT_ROOT / "dbt_project" / "macros" / "raw.sql").read_text(encoding="utf-8")
    (macro,) = re.findall(rf"{{% macro {name}\(.*?{{%- endmacro %}}", macros, re.DOTALL)
    theirs = getattr(Environment(autoescape=False).from_string(macro).module, name)("t")
    assert ours("t").split() == theirs.split()


@pytest.mark.parametrize(
    ("columns", "is_anns"),
    [
        ({"customer_id": "ann-1"}, True),
        ({"customer_id": "ann-10"}, False),
        ({"customer_nick": "小安的店铺账号"}, True),
        ({"phone": " 138 0013 8000"}, True),
        ({"phone": "0086-138-0013-8000"}, True),
        ({"telephone": "+86 13800138000"}, True),
        ({"phone": "１３８００１３８０００"}, True),
        ({"phone": "138****8000"}, False),
        ({"email": " Ann@Example.org "}, True),
        ({"email": "joann@example.org"}, False),
        ({"open_uid": "AAHu-123"}, True),
        ({"order_id": "order-77", "item_id": "i1"}, True),
        ({"item_id": "order-77"}, False),
        ({"visitor_id": "visitor-7"}, True),
        ({"visitor_id": "visitor-7", "customer_id": None}, True),
        # The device was lent: what somebody else did there is theirs.
        ({"visitor_id": "visitor-7", "customer_id": "bob"}, False),
        ({"customer_key": md5("member_id:ann-1")}, True),
        ({"person_id": "visitor-7"}, True),
        ({"customer_ids": ["bob", "ann-1"]}, True),
        ({"customer_ids": ["bob"]}, False),
        ({"_row_text": 'x,"ann-1",3'}, True),
        ({"_row_text": "x;13800138000;3"}, True),
        ({"_row_text": "x,ann-10,ANN@EXAMPLE.ORG"}, True),
        ({"_row_text": "x,ann-10,3"}, False),
        ({"_row_text": None, "customer_id": None}, False),
    ],
)
@pytest.mark.parametrize("is_salted", [False, True], ids=["by value", "by tombstone"])
def test_a_row_is_the_persons_by_any_of_their_identifiers(columns: dict, is_anns: bool, is_salted: bool) -> None:
    with duckdb.connect() as connection:
        typed = {
            name: f'cast(${name} as {"varchar[]" if isinstance(value, list) else "varchar"}) as "{name}"'
            for name, value in columns.items()
        }
        relation = connection.sql(f"select {', '.join(typed.values())}", params=columns)
        tombstones = new_tombstones().with_person(ANN)
        matcher = tombstones.matcher(connection) if is_salted else matcher_of(connection, ANN)
        condition = matcher.rows(columns_of(relation))
        if is_salted and set(columns) & {"customer_key", "person_id", "customer_ids"}:
            return  # no export has them
        found = condition is not None and len(relation.filter(condition)) == 1
        assert found is is_anns


def test_tombstones_hold_no_identifier_and_name_a_person_always_alike() -> None:
    tombstones = new_tombstones()
    name = tombstones.fingerprint(ANN)
    kept = tombstones.with_person(ANN)
    text = kept.model_dump_json()
    values = [value for values in ANN.lists().values() for value in values]
    assert not [value for value in values if value in text]
    assert kept.fingerprint(named("13800138000")) == name
    assert kept.fingerprint(named("ANN@example.org")) == name
    assert kept.fingerprint(named("bob")) != name
    more = Identifiers(member_id=frozenset({"ann-1", "ann-2"}))
    assert set(kept.with_person(more).erased) == {name}
    # Another shop's salt says nothing of this one's people.
    assert new_tombstones().hashes(ANN).isdisjoint(kept.erased[name])


def _zip(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", f"1,{PHONE[3:]},2\n".encode()),
        ("a.csv", b"1,138-0013-8000,2\n"),
        ("a.csv", "单号,小安的店铺账号,2\n".encode("gb18030")),
        ("a.csv", "单号,小安的店铺账号,2\n".encode("utf-16")),
        ("a.log", f"mail to <{EMAIL}>.".encode()),
        ("a.json", f'{{"sample": "#{sha256("visitor-7")[:12]}"}}'.encode()),
        ("a.csv.gz", gzip.compress(b"x,visitor-7,y")),
        ("a.zip", _zip("b.csv", b"x,visitor-7,y")),
        ("a.zip", _zip("b.gz", gzip.compress(b"x,visitor-7,y"))),
        ("a.txt", base64.b64encode(b"\n\x0e\x10" + sha256(PHONE[3:]).encode() + b"\n") + b"\n"),
    ],
    ids=["number", "as written", "GB18030", "UTF-16", "address", "sample", "gzip", "zip", "zip of gzip", "base64"],
)
def test_a_word_is_found_in_any_file(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert Words(ANN).count_in(tmp_path / name) > 0


def test_a_word_is_found_in_tables_and_in_what_they_say(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "a.duckdb")) as connection:
        connection.execute(
            "create table t as select '{\"since\": \"order-77\"}' as reason union all select 'order-770'"
        )
        connection.execute(f"copy t to '{tmp_path}/a.parquet'")
    words = Words(ANN)
    assert (words.count_in(tmp_path / "a.duckdb"), words.count_in(tmp_path / "a.parquet")) == (1, 1)


@pytest.mark.parametrize("text", ["xvisitor-7", "visitor-77", "13800138001", "ann@example.org.cn", "order-7", "小安"])
def test_what_only_looks_alike_is_not_found(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(f"1,{text},2\n", encoding="utf-8")
    assert Words(ANN).count_in(tmp_path / "a.csv") == 0


def test_a_name_may_be_an_id_a_number_or_an_address() -> None:
    assert named("13800138000").phone_hash == frozenset({sha256(PHONE)})
    assert named("Ann@Example.org").email_hash == frozenset({sha256(EMAIL)})
    assert (named("bob").phone_hash, named("bob").email_hash) == (frozenset(), frozenset())
    assert named("42").phone_hash == frozenset()
