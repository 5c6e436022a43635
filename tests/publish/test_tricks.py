"""SQL, paths, markup and control characters in every string of a definition: refused, or nothing but text."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from shop_of_marts import TestShop, audience, day

from renqun.cli import audience as commands
from renqun.cli.output import print_table
from renqun.errors import RequestError
from renqun.publish import catalog, definitions
from renqun.publish.catalogue_file import CATALOGUE_NAME
from renqun.publish.definitions import Audience, load_audiences
from renqun.publish.members import Compiler
from renqun.publish.preview import preview
from renqun.publish.selection import opened_marts
from renqun.publish.verify import verify
from renqun.publish.versions import find_marts

TRICKS = [
    "x'); drop table t; --",
    '"x" or 1=1',
    "../../../../tmp/out",
    "/etc/passwd",
    "C:\\out",
    "${HOME}",
    "{{ 7 * 7 }}",
    "%s %(x)s {0}",
    "[/bold] [red]",
    "=1+1",
    "@x: {y: [z]}",
    "--- # &a *a !!python/object",
    "人群\u200b",
]
CONTROL = ["a\nb", "a\x1b[2Jb", "a\x00b", "a\u202eb", "a\rb", "a\x9bb"]
WHERE: dict[str, tuple[str | int, ...]] = {
    "id": ("id",),
    "name.en": ("name", "en"),
    "name.zh": ("name", "zh"),
    "owner": ("owner",),
    "purpose.kind": ("purpose", "kind"),
    "purpose.text": ("purpose", "text"),
    "needs": ("needs", 0),
    "destinations": ("destinations", 0),
    "segment": ("include", "all", 0, "segment"),
    "tag": ("include", "all", 1, "any", 0, "tag"),
    "measure": ("include", "all", 1, "any", 1, "measure"),
    "profile": ("include", "all", 1, "any", 2, "profile"),
    "profile is": ("include", "all", 1, "any", 2, "is"),
    "profile in": ("include", "all", 1, "any", 3, "in", 0),
    "not": ("exclude", 0, "not", "segment"),
    "audience": ("exclude", 1, "audience"),
    "trigger fact": ("trigger", "fact"),
    "trigger segment": ("trigger", "segments", 0),
    "trigger at": ("trigger", "delay", "at"),
    "trigger from": ("trigger", "window", "from"),
    "trigger channel": ("trigger", "channel"),
    "trigger offer": ("trigger", "offer"),
}
FREE = {"name.en", "name.zh", "owner", "purpose.text", "profile is", "profile in"}
"""Text that people choose: any is allowed that stays on its line. Everything else is a name of ours."""
WHOLE: dict[str, Any] = {
    "id": "champions",
    "name": {"en": "Champions", "zh": "人群"},
    "owner": "marketing",
    "purpose": {"kind": "marketing", "text": "testing"},
    "needs": ["orders"],
    "include": {
        "all": [
            {"segment": "champions"},
            {
                "any": [
                    {"tag": "category_1", "at_least": 0.5},
                    {"measure": "net_amount", "at_least": 1},
                    {"profile": "tier", "is": "gold"},
                    {"profile": "tier", "in": ["gold", "silver"]},
                ]
            },
        ]
    },
    "exclude": [{"not": {"segment": "champions"}}, {"audience": "interest"}],
    "destinations": ["canonical"],
    "size_window": {"max_change_share": "0.5", "min_previous": 10},
    "trigger": {
        "fact": "entered_segment",
        "segments": ["champions"],
        "delay": {"days": 1, "at": "10:00"},
        "window": {"from": "09:00", "to": "21:00"},
        "give_up_hours": 48,
        "channel": "sms",
        "offer": "reminder",
    },
    "expiry_days": 7,
}


def with_text(where: tuple[str | int, ...], text: str) -> dict[str, Any]:
    definition: Any = copy.deepcopy(WHOLE)
    place = definition
    for step in where[:-1]:
        place = place[step]
    assert isinstance(place[where[-1]], str), "the table names every string by its place"
    place[where[-1]] = text
    return dict(definition)


def strings(value: Any, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    if isinstance(value, dict):
        return {one for key, each in value.items() for one in strings(each, (*path, key))}
    if isinstance(value, list):
        return {one for number, each in enumerate(value) for one in strings(each, (*path, number))}
    return {path} if isinstance(value, str) else set()


def test_the_table_names_every_string_of_a_definition() -> None:
    Audience.model_validate(WHOLE)
    others = {
        ("include", "all", 1, "any", 3, "profile"), ("include", "all", 1, "any", 3, "in", 1),
        ("trigger", "window", "to"), ("size_window", "max_change_share"),
    }  # fmt: skip
    assert strings(WHOLE) - others == set(WHERE.values())


@pytest.mark.parametrize("field", WHERE)
def test_a_name_of_ours_takes_no_trick_and_no_text_a_control_character(field: str) -> None:
    # A tag may be that of any category, whatever the shop calls it: it goes to the marts as a constant.
    tricks = [] if field in FREE else [f"category_{one}" for one in CONTROL] if field == "tag" else TRICKS
    for text in [*tricks, *CONTROL, ""]:
        with pytest.raises(ValidationError):
            Audience.model_validate(with_text(WHERE[field], text))
    if field in FREE:
        for text in TRICKS:
            Audience.model_validate(with_text(WHERE[field], text))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> TestShop:
    shop = TestShop.at(tmp_path_factory.mktemp("home") / "home")
    shop.warehouse.enter("champions", [f"c{number:02}" for number in range(20)], day(0))
    shop.warehouse.further = [
        "create table marts.fct_customer_tags (shop_id varchar, customer_key varchar, tag_id varchar, score double)",
        "create table marts.fct_customer_categories as select 'default' as shop_id, customer_key,"
        " 'x''); drop table t; --' as category_id, 0.9 as share from marts.dim_customers",
        "create table marts.dim_segments as select 'default' as shop_id, 'any' as segment_id, 'tag' as family",
    ]
    shop.publish_marts(day(0))
    return shop


@pytest.mark.parametrize("trick", TRICKS)
def test_text_that_is_allowed_is_nothing_but_text(
    template: TestShop,
    tmp_path: Path,
    trick: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(template.home.root, tmp_path / "home", symlinks=True)
    shop = TestShop.at(tmp_path / "home")
    told = {"name": {"en": trick, "zh": trick}, "owner": trick, "purpose": {"kind": "marketing", "text": trick}}
    definition = audience(**told)
    version = shop.version_of(shop.publish_audiences(day(0), [definition]))
    assert verify(version).failures == []
    contract = yaml.safe_load((version.parent.parent / "contracts" / f"{version.name}.odcs.yaml").read_text("utf-8"))
    assert contract["description"]["purpose"] == contract["team"][0]["username"] == trick
    catalogue = json.loads((shop.audiences / CATALOGUE_NAME).read_text(encoding="utf-8"))
    assert catalogue["audiences"][0]["name_en"] == trick
    assert {path.name for path in tmp_path.iterdir()} == {"home"}
    assert {path.name for path in shop.audiences.iterdir()} == {CATALOGUE_NAME, "champions"}
    monkeypatch.setenv("RENQUN_HOME", str(shop.home.root))
    monkeypatch.setattr(catalog, "load_audiences", lambda: (definition,))
    commands.list_all()
    assert trick[:6] in capsys.readouterr().out


def test_a_category_by_any_name_is_a_constant(template: TestShop) -> None:
    for trick in TRICKS:
        definition = audience(include={"tag": f"category_{trick}", "at_least": "0.5"})
        with opened_marts(find_marts(template.home.paths("default"))) as marts:
            found = len(Compiler(marts, [definition]).members(definition))
        assert found == (20 if trick == TRICKS[0] else 0), trick
        shown = preview(template.home, "default", "champions", audience=definition, audiences=())
        assert trick in shown.steps[-1].name
        print_table("", ("rule",), [(shown.steps[-1].name,)])


@given(text=st.text(min_size=1, max_size=40))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_is_a_constant(template: TestShop, text: str) -> None:
    try:
        definition = audience(include={"tag": f"category_{text}", "at_least": "0.5"})
    except ValidationError:
        return
    with opened_marts(find_marts(template.home.paths("default"))) as marts:
        assert len(Compiler(marts, [definition]).members(definition)) in (0, 20)


def test_a_definition_is_a_file_that_says_each_thing_once(tmp_path: Path) -> None:
    source = next(iter(sorted(definitions.DEFINITIONS_FOLDER.glob("champions.yml"))))
    twice = tmp_path / "champions.yml"
    twice.write_text(source.read_text(encoding="utf-8") + "expiry_days: 400\n", encoding="utf-8")
    with pytest.raises(RequestError, match="key twice: expiry_days"):
        load_audiences(tmp_path)
    twice.write_text("!!python/object/apply:os.system ['true']", encoding="utf-8")
    with pytest.raises(RequestError, match="cannot be read"):
        load_audiences(tmp_path)
