"""What platforms say of uploaded lists is kept beside the versions, which stay as they are; nonsense is refused."""

from __future__ import annotations

import json
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from shop_of_marts import TestShop, audience, day, tree
from typer.testing import CliRunner

from renqun.cli.app import app
from renqun.errors import RequestError, TechnicalError
from renqun.publish.catalog import list_audiences
from renqun.publish.receipts import keep_receipts, match_rates
from renqun.publish.verify import verify
from renqun.settings import Home

PEOPLE = [f"c{number:02}" for number in range(20)]
COLUMNS = "audience,version,destination,list,uploaded,matched,told_on"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> TestShop:
    """Two days of champions for tencent and meta, which takes no list of twenty."""
    shop = TestShop.at(tmp_path_factory.mktemp("home"))
    for one in [*PEOPLE, "c20"]:
        shop.warehouse.contacts[one] = (f"+86138001380{one[1:]}", None)
    shop.warehouse.agree([*PEOPLE, "c20"], "ads")
    for number, people in enumerate((PEOPLE, [*PEOPLE, "c20"])):
        shop.warehouse.set_members("champions", people, day(number))
        shop.publish_day(day(number), [audience(destinations=["canonical", "tencent", "meta"])])
    return shop


@pytest.fixture
def home(template: TestShop, tmp_path: Path) -> Home:
    shutil.copytree(template.home.root, tmp_path / "home")
    return Home(tmp_path / "home")


def versions(home: Home) -> list[str]:
    root = home.paths("default").published_audiences / "champions"
    return [folder.name for number in (0, 1) for folder in (root / f"as_of={day(number)}").glob("[0-9a-f]*")]


def csv_file(home: Home, *rows: str, columns: str = COLUMNS) -> Path:
    first, second = versions(home)
    file = home.root / "receipts.csv"
    file.write_text("\n".join([columns, *rows, ""]).replace("FIRST", first).replace("SECOND", second), encoding="utf-8")
    return file


def receipts_of(home: Home) -> dict[str, bytes]:
    return tree(home.paths("default").published_audiences / "champions" / "receipts")


def test_the_newest_word_of_a_platform_is_the_match_rate(home: Home) -> None:
    before = tree(home.paths("default").published_audiences)
    file = csv_file(
        home,
        "champions,FIRST,tencent,,20,8,2026-03-02",
        "champions,FIRST,tencent,full,20,11,2026-03-03",
        "champions,SECOND,tencent,append,1,0,2026-03-03",
    )
    report = keep_receipts(home, "default", file)
    assert (len(report.kept), report.known) == (3, 0)
    paths = home.paths("default")
    found = [(one.list, one.delivered, one.uploaded, one.matched, one.rate, one.receipts) for one in match_rates(paths)]
    assert found == [("full", 20, 20, 11, Decimal("0.5500"), 2), ("append", 1, 1, 0, Decimal("0.0000"), 1)]
    (summary,) = list_audiences(home, "default", audiences=[audience()])
    assert {to: (one.version, one.rate) for to, one in summary.match_rates.items()} == {
        "tencent": (versions(home)[0], Decimal("0.5500"))
    }
    after = tree(home.paths("default").published_audiences)
    assert {name: what for name, what in after.items() if "/receipts/" not in name} == before
    assert verify(paths.published_audiences / "champions" / "latest.json").passed


def test_a_file_that_is_read_twice_changes_nothing(home: Home) -> None:
    file = csv_file(home, "champions,FIRST,tencent,full,20,8,2026-03-02")
    keep_receipts(home, "default", file)
    kept = receipts_of(home)
    again = keep_receipts(home, "default", file)
    assert (again.kept, again.known) == ((), 1)
    assert receipts_of(home) == kept


def test_a_correction_needs_a_later_date(home: Home) -> None:
    keep_receipts(home, "default", csv_file(home, "champions,FIRST,tencent,full,20,8,2026-03-02"))
    kept = receipts_of(home)
    with pytest.raises(RequestError, match="a receipt of 2026-03-02 says 8 of 20, this one 9 of 20"):
        keep_receipts(home, "default", csv_file(home, "champions,FIRST,tencent,full,20,9,2026-03-02"))
    assert receipts_of(home) == kept


REFUSED = {
    "unknown audience": ("nobody,FIRST,tencent,full,20,8,2026-03-02", "the audience 'nobody' has no version"),
    "a path": ("../champions,FIRST,tencent,full,20,8,2026-03-02", "audience: String should match pattern"),
    "unknown version": ("champions,ffffffffffffffff,tencent,full,20,8,2026-03-02", "has no version ffffffffffffffff"),
    "a destination without a list": ("champions,FIRST,meta,full,20,8,2026-03-02", "gave meta no list 'full'"),
    "unknown destination": ("champions,FIRST,sms,full,20,8,2026-03-02", "gave sms no list 'full'"),
    "no such list": ("champions,FIRST,tencent,append,20,8,2026-03-02", "gave tencent no list 'append'"),
    "an unknown list": ("champions,FIRST,tencent,half,20,8,2026-03-02", "list: Input should be 'full', 'append'"),
    "more than delivered": ("champions,FIRST,tencent,full,21,8,2026-03-02", "but the list has 20"),
    "more matched": ("champions,FIRST,tencent,full,20,21,2026-03-02", "21 matched of 20 uploaded cannot be"),
    "a negative number": ("champions,FIRST,tencent,full,20,-1,2026-03-02", "matched: Value error, give a whole number"),
    "a share": ("champions,FIRST,tencent,full,20,0.4,2026-03-02", "matched: Value error, give a whole number"),
    "other digits": ("champions,FIRST,tencent,full,２０,8,2026-03-02", "uploaded: Value error, give a whole number"),
    "nothing": ("champions,FIRST,tencent,full,,8,2026-03-02", "uploaded: Value error, give a whole number"),
    "before the version": ("champions,FIRST,tencent,full,20,8,2026-02-28", "before the business date 2026-03-01"),
    "no date": ("champions,FIRST,tencent,full,20,8,yesterday", "told_on: Input should be a valid date"),
    "a cell too few": ("champions,FIRST,tencent,full,20,8", "6 cells, 7 columns"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_receipt_that_cannot_be_is_refused_with_its_whole_file(home: Home, kind: str) -> None:
    row, words = REFUSED[kind]
    file = csv_file(home, "champions,SECOND,tencent,full,21,8,2026-03-02", row)
    with pytest.raises(RequestError, match=words) as refused:
        keep_receipts(home, "default", file)
    assert "line 3" in str(refused.value)
    assert receipts_of(home) == {}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.json", "{", "it is no JSON"),
        ("a.json", "[" * 100_000, "it is no JSON"),
        ("a.json", "[1]", "Input should be a valid dictionary"),
        ("a.json", '{"audience": "x", "match_rate": 1}', "Field required"),
        ("a.json", "[]", "the file holds no receipt"),
        ("a.csv", "", "the file holds no receipt"),
        ("a.csv", "audience,audience\n", "a column is given twice"),
        ("a.csv", COLUMNS + ",more\nchampions,FIRST,tencent,full,20,8,2026-03-02,x\n", "more: Extra inputs"),
        ("a.csv", 'a\n"x', "it is no CSV"),
        ("a.csv", b"\xff\xfe", "the file cannot be read"),
    ],
)
def test_what_is_no_file_of_receipts_is_a_wrong_request(
    home: Home, name: str, content: str | bytes, words: str
) -> None:
    file = home.root / name
    text = content if isinstance(content, bytes) else content.replace("FIRST", versions(home)[0]).encode()
    file.write_bytes(text)
    with pytest.raises(RequestError, match=words):
        keep_receipts(home, "default", file)
    with pytest.raises(RequestError, match="the file cannot be read"):
        keep_receipts(home, "default", home.root / "nothing.csv")


def test_a_damaged_receipt_is_named(home: Home) -> None:
    keep_receipts(home, "default", csv_file(home, "champions,FIRST,tencent,full,20,8,2026-03-02"))
    (file,) = (home.paths("default").published_audiences / "champions" / "receipts").rglob("*.json")
    file.chmod(0o600)
    file.write_text("{", encoding="utf-8")
    with pytest.raises(TechnicalError, match="a receipt that was kept cannot be read"):
        match_rates(home.paths("default"))


def test_the_commands_take_json_and_show_the_rates(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENQUN_HOME", str(home.root))
    told = {
        "audience": "champions", "version": versions(home)[0], "destination": "tencent", "uploaded": 20, "matched": 5,
        "told_on": "2026-03-02",
    }  # fmt: skip
    file = home.root / "receipts.json"
    file.write_text(json.dumps(told), encoding="utf-8")
    run = CliRunner()
    assert run.invoke(app, ["audience", "receipts"]).output.startswith("no platform has answered yet")
    assert run.invoke(app, ["audience", "receipt", str(file)]).exit_code == 0
    shown = json.loads(run.invoke(app, ["audience", "receipts", "champions", "--json"]).output)
    assert [(one["destination"], one["match_rate"]) for one in shown] == [("tencent", "0.2500")]
    assert "25.00%" in run.invoke(app, ["audience", "receipts"]).output
    listed = run.invoke(app, ["audience", "list"]).output
    assert "tencent 25% (2026-03-01)" in listed
