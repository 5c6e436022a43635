"""Each destination's file, read back by a reader written from that platform's own documentation."""

from __future__ import annotations

import base64
import csv
import dataclasses
import hashlib
import io
import random
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import duckdb
import phonenumbers
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given, settings
from hypothesis import strategies as st

from renqun.errors import RequestError, TechnicalError
from renqun.publish.destinations import DESTINATIONS, destination, identifiers
from renqun.publish.destinations.writing import addressees, reachable, read_rows, write_delta, write_full

Connection = duckdb.DuckDBPyConnection
PHONE = "+8613800138000"
VECTORS = {
    "with plus": "ec61f3c620a98bdead8c1f1f0ae747abd1b62a0c2dba4fd4bc22cf0d1d8653e5",
    "digits": "bf08aacce7f9b2452863cf99373043c3333f0e3127f1f787c4abb46ab6cf2b83",
    "mainland": "a6942f9771d67f34034d2f1926988ed3fad3bf1b4e7cedb9a31f31398dea43bc",
    "mainland md5": "7945bd83237335e5376ff44d62e4f0ae",
    "email": "d6117306485ed0e50afab3ac871e98f81699151f30281527d63ff5f233656c69",
}
"""The usual dummy number and the address of a platform's own page, hashed; computed with hashlib once more below."""
Person = tuple[str, str | None, str | None]
"""Customer key, phone, e-mail address."""


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    with duckdb.connect() as opened:
        yield opened


def sql_of(connection: Connection, sql: str, *, phone: str | None = None, email: str | None = None):
    return connection.execute(f"select {sql} from (select ? as phone, ? as email)", [phone, email]).fetchone()[0]


def crowd(size: int, *, phones: bool = True, emails: bool = True) -> list[Person]:
    """People with different contacts, in no order."""
    people: list[Person] = [
        (
            f"k{number:06}",
            f"+861390{number:07}" if phones else None,
            f"person.{number}@example.com" if emails else None,
        )
        for number in range(size)
    ]
    random.Random(1).shuffle(people)
    return people


def relation(connection: Connection, people: Sequence[Person]) -> duckdb.DuckDBPyRelation:
    connection.execute("create or replace temp table persons (customer_key varchar, phone varchar, email varchar)")
    if people:
        connection.executemany("insert into persons values (?, ?, ?)", [list(one) for one in people])
    return connection.sql("select *, cast(null as varchar) as open_uid, date '2026-03-01' as entered_on from persons")


def written(connection: Connection, people: Sequence[Person], to: str, folder: Path) -> list[Path]:
    made = write_full(addressees(relation(connection, people), destination(to)), destination(to), folder)
    assert made.refused is None
    return list(made.files)


# --- identifiers --------------------------------------------------------------------------------------------


def test_the_vectors_are_hashlibs() -> None:
    texts = {"with plus": PHONE, "digits": PHONE[1:], "mainland": PHONE[3:], "email": "janedoe@gmail.com"}
    for name, text in texts.items():
        assert hashlib.sha256(text.encode()).hexdigest() == VECTORS[name]
    assert hashlib.md5(PHONE[3:].encode()).hexdigest() == VECTORS["mainland md5"]


@pytest.mark.parametrize(
    ("to", "column", "vector"),
    [
        ("google", "Phone", "with plus"),
        ("tiktok", "Phone_SHA256", "with plus"),
        ("meta", "phone", "digits"),
        ("oceanengine", "MOBILE_HASH_SHA256", "mainland"),
        ("qianchuan", "phone_sha256", "mainland"),
        ("damopan", "phone_sha256", "mainland"),
        ("tencent", "HASH_MOBILE_PHONE", "mainland md5"),
        ("wechat_pay", "phone_md5", "mainland md5"),
        ("google", "Email", "email"),
        ("meta", "email", "email"),
        ("tiktok", "Email_SHA256", "email"),
    ],
)
def test_a_destination_gets_the_published_digest(connection: Connection, to: str, column: str, vector: str) -> None:
    sql = next(sql for header, sql in destination(to).columns if header == column)
    assert sql_of(connection, sql, phone=PHONE, email="janedoe@gmail.com") == VECTORS[vector]


@pytest.mark.parametrize(
    ("email", "google", "others"),
    [
        ("Jane.Doe+shop@GMail.com", "janedoe@gmail.com", "jane.doe+shop@gmail.com"),
        ("jane.doe+shop@googlemail.com", "janedoe@googlemail.com", "jane.doe+shop@googlemail.com"),
        ("jane.doe+shop@example.com", "jane.doe+shop@example.com", "jane.doe+shop@example.com"),
        (" jane @example.com ", "jane@example.com", "jane@example.com"),
        ("no address", None, None),
        ("two@at@example.com", None, None),
        ("nodot@example", None, None),
        ("=cmd|' /c calc'!a1@example.com", None, None),
        ("-2+3@example.com", None, None),
        ("+1@example.com", None, None),
        ("@example.com", None, None),
        ('a"b@example.com', None, None),
        (None, None, None),
    ],
)
def test_addresses(connection: Connection, email: str | None, google: str | None, others: str | None) -> None:
    assert sql_of(connection, identifiers.GOOGLE_EMAIL, email=email) == google
    assert sql_of(connection, identifiers.EMAIL, email=email) == others


@pytest.mark.parametrize(
    ("phone", "e164", "mainland"),
    [
        (PHONE, PHONE, "13800138000"),
        ("+14155552671", "+14155552671", None),
        ("+8612800138000", "+8612800138000", None),
        ("+861380013800", "+861380013800", None),
        ("+86138001380000", "+86138001380000", None),
        ("+85251234567", "+85251234567", None),
        ("13800138000", None, None),
        ("+0123456789", None, None),
        ("+861380013800x", None, None),
        ("+1234567890123456", None, None),
        (None, None, None),
    ],
)
def test_phones(connection: Connection, phone: str | None, e164: str | None, mainland: str | None) -> None:
    assert sql_of(connection, identifiers.E164, phone=phone) == e164
    assert sql_of(connection, identifiers.MAINLAND, phone=phone) == mainland


@settings(max_examples=200, deadline=None)
@given(number=st.integers(min_value=10_000_000_000, max_value=19_999_999_999))
def test_a_mainland_mobile_is_what_the_library_of_numbers_says(connection: Connection, number: int) -> None:
    phone = f"+86{number}"
    parsed = phonenumbers.parse(phone)
    is_mobile = phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.MOBILE
    if is_mobile:
        assert sql_of(connection, identifiers.MAINLAND, phone=phone) == str(number), "nobody with a mobile is left out"
        assert sql_of(connection, identifiers.E164, phone=phone) == phonenumbers.format_number(
            parsed, phonenumbers.PhoneNumberFormat.E164
        )


# --- files, each read as its platform's documentation says --------------------------------------------------


def cells(path: Path) -> tuple[list[str], list[list[str]]]:
    data = path.read_bytes()
    assert data.isascii()
    header, *rows = csv.reader(io.StringIO(data.decode("ascii"), newline=""))
    return header, rows


def lines(path: Path) -> list[str]:
    text = path.read_bytes().decode("ascii")
    assert text.endswith("\n")
    return text.split("\n")[:-1]


def digest(text: str, how: str = "sha256") -> str:
    return hashlib.new(how, text.encode()).hexdigest()


def test_google(connection: Connection, tmp_path: Path) -> None:
    people = crowd(120)
    header, rows = cells(written(connection, people, "google", tmp_path)[0])
    assert header == ["Email", "Phone", "First Name", "Last Name", "Country", "Zip"]
    assert {(row[0], row[1]) for row in rows} == {
        (digest(email or ""), digest(phone or "")) for _, phone, email in people
    }
    assert all(row[2:] == [""] * 4 for row in rows)


def test_meta(connection: Connection, tmp_path: Path) -> None:
    people = [*crowd(100), ("x1", None, "only@example.com"), ("x2", "+14155552671", None), ("x3", None, None)]
    header, rows = cells(written(connection, people, "meta", tmp_path)[0])
    template = {"email", "phone", "madid", "fn", "ln", "zip", "ct", "st", "country", "dob", "doby", "gen", "age", "uid"}
    assert [name for name in header if name not in template] == []
    assert len(rows) == 102, "somebody without any contact is in no file"
    assert [digest("only@example.com"), ""] in rows
    assert ["", digest("14155552671")] in rows


def test_tiktok(connection: Connection, tmp_path: Path) -> None:
    header, rows = cells(written(connection, crowd(1_000), "tiktok", tmp_path)[0])
    assert set(header) <= {"Email_SHA256", "Phone_SHA256", "MAID_SHA256"}
    assert max(header.count(name) for name in header) <= 3
    assert [digest("person.7@example.com"), digest("+8613900000007"), digest("8613900000007")] in rows


def test_tencent(connection: Connection, tmp_path: Path) -> None:
    (path,) = written(connection, crowd(30), "tencent", tmp_path)
    assert path.stat().st_size <= 100 * 1024 * 1024
    with zipfile.ZipFile(path) as archive:
        (name,) = archive.namelist()
        assert name == "tencent.txt"
        ids = archive.read(name).decode("ascii").splitlines()
    assert set(ids) == {digest(f"1390{number:07}", "md5") for number in range(30)}
    assert all(len(one) == 32 for one in ids)


def test_ocean_engine(connection: Connection, tmp_path: Path) -> None:
    (path,) = written(connection, crowd(10_001), "oceanengine", tmp_path)
    item, data = _messages_of_the_platform()
    found = []
    for line in lines(path):
        message = data.FromString(base64.b64decode(line, validate=True))
        assert len(message.idList) <= 10_000
        assert {one.dataType for one in message.idList} == {6}, "MOBILE_HASH_SHA256"
        found += [one.id for one in message.idList]
    assert len(lines(path)) == 2
    assert sorted(found) == sorted(digest(f"1390{number:07}") for number in range(10_001))
    assert item.DESCRIPTOR.full_name == "toutiao.dmp.IdItem"


def _messages_of_the_platform():
    """The platform's messages, written down from its published description."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="dmp.proto", package="toutiao.dmp", syntax="proto2")
    item = file.message_type.add(name="IdItem")
    item.field.add(name="timestamp", number=1, type=field.TYPE_UINT32, label=field.LABEL_OPTIONAL)
    item.field.add(name="dataType", number=2, type=field.TYPE_INT32, label=field.LABEL_REQUIRED)
    item.field.add(name="id", number=3, type=field.TYPE_STRING, label=field.LABEL_REQUIRED)
    item.field.add(name="tags", number=4, type=field.TYPE_STRING, label=field.LABEL_REPEATED)
    data = file.message_type.add(name="DmpData")
    data.field.add(
        name="idList",
        number=1,
        type=field.TYPE_MESSAGE,
        label=field.LABEL_REPEATED,
        type_name=".toutiao.dmp.IdItem",
    )
    made = message_factory.GetMessages([file], pool=descriptor_pool.DescriptorPool())
    return made["toutiao.dmp.IdItem"], made["toutiao.dmp.DmpData"]


@pytest.mark.parametrize(("to", "how", "suffix"), [("qianchuan", "sha256", ".txt"), ("wechat_pay", "md5", ".csv")])
def test_lists_of_digests(connection: Connection, tmp_path: Path, to: str, how: str, suffix: str) -> None:
    (path,) = written(connection, crowd(5), to, tmp_path)
    assert path.suffix == suffix
    assert lines(path) == sorted(digest(f"1390{number:07}", how) for number in range(5))


def test_damopan(connection: Connection, tmp_path: Path) -> None:
    header, rows = cells(written(connection, crowd(2_001), "damopan", tmp_path)[0])
    assert header == ["phone_sha256"]
    assert len(rows) == 2_001


def test_klaviyo(connection: Connection, tmp_path: Path) -> None:
    people: list[Person] = [("k1", PHONE, "a@example.com"), ("k2", None, "b@example.com"), ("k3", PHONE, None)]
    header, rows = cells(written(connection, people, "klaviyo", tmp_path)[0])
    assert header == ["Email", "Phone Number", "Email Marketing Consent"]
    assert rows == [["a@example.com", PHONE, "Subscribed"], ["b@example.com", "", "Subscribed"]]


def test_braze(connection: Connection, tmp_path: Path) -> None:
    header, rows = cells(written(connection, [("k1", PHONE, None)], "braze", tmp_path)[0])
    assert header[0] in ("external_id", "braze_id")
    assert rows == [["k1", "", PHONE]]


def test_text_messages(connection: Connection, tmp_path: Path) -> None:
    paths = written(connection, crowd(50_001), "sms", tmp_path)
    assert [path.name for path in paths] == ["sms_001.txt", "sms_002.txt"]
    numbers = [number for path in paths for number in lines(path)]
    assert [len(lines(path)) for path in paths] == [50_000, 1]
    assert sorted(numbers) == [f"1390{number:07}" for number in range(50_001)]


@pytest.mark.parametrize("to", ["klaviyo", "braze", "tencent"])
def test_a_file_is_never_larger_than_the_destination_takes(connection: Connection, tmp_path: Path, to: str) -> None:
    people = [*crowd(900), *((f"e{number}", PHONE, f"{'long' * (number % 12)}{number}@a.io") for number in range(99))]
    whole = written(connection, people, to, tmp_path)
    assert len(whole) == 1
    size = whole[0].stat().st_size
    limited = dataclasses.replace(destination(to), bytes_per_file=size // 3)
    made = tmp_path / "parts"
    made.mkdir()
    parts = write_full(addressees(relation(connection, people), limited), limited, made).files
    assert [path.stem for path in parts] == [f"{to}_{number:03}" for number in range(1, len(parts) + 1)]
    # As few as fit: zipped, the parts are a little larger together than the whole.
    assert 3 <= len(parts) <= 5
    assert max(path.stat().st_size for path in parts) <= size // 3
    together = read_rows(connection, limited, list(parts)).fetchall()
    assert together == read_rows(connection, limited, whole).fetchall()
    assert sorted(path.name for path in made.iterdir()) == [path.name for path in parts]
    just = dataclasses.replace(destination(to), bytes_per_file=size)
    assert len(write_full(addressees(relation(connection, people), just), just, tmp_path).files) == 1


def test_a_row_that_no_file_can_hold_is_an_error_and_not_an_endless_loop(
    connection: Connection, tmp_path: Path
) -> None:
    limited = dataclasses.replace(destination("klaviyo"), bytes_per_file=60)
    with pytest.raises(TechnicalError, match="one row of klaviyo takes"):
        write_full(addressees(relation(connection, crowd(7)), limited), limited, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_canonical_list_names_nobody(connection: Connection, tmp_path: Path) -> None:
    header, rows = cells(written(connection, [("k2", PHONE, None), ("k1", None, None)], "canonical", tmp_path)[0])
    assert header == ["customer_key", "entered_on"]
    assert rows == [["k1", "2026-03-01"], ["k2", "2026-03-01"]]


# --- what holds for all -------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", DESTINATIONS)
def test_the_same_people_give_the_same_bytes_in_any_order(connection: Connection, tmp_path: Path, to: str) -> None:
    people = crowd(2_500)
    first = [path.read_bytes() for path in written(connection, people, to, tmp_path)]
    again = [path.read_bytes() for path in written(connection, people[::-1] + people[:9], to, tmp_path)]
    if to != "canonical":
        assert first == again
    assert first == [path.read_bytes() for path in written(connection, people[::-1], to, tmp_path)]


@pytest.mark.parametrize("to", DESTINATIONS)
def test_what_is_read_back_is_what_was_given(connection: Connection, tmp_path: Path, to: str) -> None:
    people = [*crowd(2_400), *((f"e{number}", None, f"only{number}@example.com") for number in range(40))]
    rows = addressees(relation(connection, people), destination(to))
    given = [tuple(None if cell is None else str(cell) for cell in row) for row in rows.fetchall()]
    made = write_full(rows, destination(to), tmp_path)
    assert made.rows == len(given) > 0
    assert read_rows(connection, destination(to), list(made.files)).fetchall() == given


@pytest.mark.parametrize("to", [one for one in DESTINATIONS.values() if one.minimum > 1], ids=lambda one: one.id)
def test_too_few_are_not_written_and_the_limit_is_named(connection: Connection, tmp_path: Path, to) -> None:
    made = write_full(addressees(relation(connection, crowd(to.minimum - 1)), to), to, tmp_path)
    assert made.files == ()
    assert f"it takes {to.minimum:,} or more" in (made.refused or "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("to", sorted(DESTINATIONS.keys() - {"canonical", "braze"}))
def test_a_shop_that_knows_nobody_reaches_nobody(connection: Connection, to: str) -> None:
    nobody = relation(connection, crowd(3, phones=False, emails=False))
    # DuckDB knows of a stored column that it holds only nulls, and folds what is asked of it.
    assert nobody.filter(reachable(destination(to))).fetchall() == []


@pytest.mark.parametrize("to", [one for one in DESTINATIONS.values() if one.has_deltas], ids=lambda one: one.id)
def test_deltas_name_who_comes_and_who_goes(connection: Connection, tmp_path: Path, to) -> None:
    rows = addressees(relation(connection, crowd(3)), to)
    made = write_delta(rows, to, tmp_path, "reduce")
    assert [path.stem for path in made.files] == [f"{to.id}_reduce"]
    assert read_rows(connection, to, list(made.files)).fetchall() == rows.fetchall()


NAMES: list[Callable[[], str]] = [lambda: "x" * 33, lambda: "人" * 11]


@pytest.mark.parametrize("name", NAMES)
def test_names_have_limits_of_their_own(name: Callable[[], str]) -> None:
    limit = destination("tencent").name_limit
    assert limit is not None
    assert not limit.allows(name())
    assert limit.allows("seg_017_2026W47")
    assert destination("oceanengine").name_limit is not None
    assert destination("oceanengine").name_limit.allows("人" * 30)


def test_an_unknown_destination_is_named() -> None:
    with pytest.raises(RequestError, match="no destination is called 'tiktak'"):
        destination("tiktak")
