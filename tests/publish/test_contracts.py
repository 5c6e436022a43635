"""What is published for programs to read first: schemas, contracts, the catalogue; and differences by rule."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from shop_of_marts import TestShop, audience, day

from renqun.errors import RequestError
from renqun.publish.contracts import contract_file
from renqun.publish.definitions import DEFINITIONS_FOLDER
from renqun.publish.differences import KEPT_BACK, STRANGER, RuleChange, diff
from renqun.publish.history import AudienceFolder
from renqun.publish.published_schemas import FOLDER, json_schema, json_schemas
from renqun.publish.withdrawal import withdraw

# --- schemas ------------------------------------------------------------------------------------------------


def of(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(json_schema(name)))


def test_the_schemas_in_the_repository_are_those_of_the_program() -> None:
    assert {file.name: file.read_text(encoding="utf-8") for file in FOLDER.iterdir()} == json_schemas()
    with pytest.raises(RequestError, match="no schema of 'weather'"):
        json_schema("weather")


@pytest.mark.parametrize("file", sorted(DEFINITIONS_FOLDER.glob("*.yml")), ids=lambda file: file.stem)
def test_every_definition_is_one_by_the_schema(file: Path) -> None:
    schema = of("audience-definition")
    definition = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert [error.message for error in schema.iter_errors(definition)] == []
    assert not schema.is_valid(definition | {"weather": "sunny"})
    assert not schema.is_valid(definition | {"include": {"segment": "a", "measure": "b"}})
    without_owner = {name: value for name, value in definition.items() if name != "owner"}
    assert not schema.is_valid(without_owner)


def test_what_is_published_is_what_its_schemas_say(published_shop: TestShop) -> None:
    root = published_shop.audiences
    pointer = json.loads((root / "champions" / "latest.json").read_text(encoding="utf-8"))
    manifest = json.loads((root / "champions" / pointer["path"] / "manifest.json").read_text(encoding="utf-8"))
    catalogue = json.loads((root / "catalogue.json").read_text(encoding="utf-8"))
    assert of("audience-pointer").is_valid(pointer)
    assert of("audience-manifest").is_valid(manifest)
    assert of("audience-catalogue").is_valid(catalogue)
    assert not of("audience-manifest").is_valid(manifest | {"note": "x"})


# --- contracts and the catalogue ----------------------------------------------------------------------------


def contract_of(shop: TestShop, version: str) -> dict[str, Any]:
    file = contract_file(AudienceFolder.of(shop.home.paths("default"), "champions"), version)
    return dict(yaml.safe_load(file.read_text(encoding="utf-8")))


def test_a_version_has_an_open_data_contract(published_shop: TestShop) -> None:
    (version,) = (published_shop.audiences / "champions" / f"as_of={day(0)}").glob("[0-9a-f]*")
    found = contract_of(published_shop, version.name)
    # What ODCS v3 requires of every contract, and of its parts.
    assert {"version", "apiVersion", "kind", "id", "status"} <= found.keys()
    assert (found["kind"], found["apiVersion"], found["status"]) == ("DataContract", "v3.0.2", "active")
    assert all({"server", "type", "path", "format"} <= server.keys() for server in found["servers"])
    assert all({"property", "value"} <= promise.keys() for promise in found["slaProperties"])
    logical = {"string", "date", "number", "integer", "object", "array", "boolean"}
    for file in found["schema"]:
        assert file["name"]
        assert all(column["name"] and column["logicalType"] in logical for column in file["properties"])
    # And what it says is what is there.
    manifest = json.loads((version / "manifest.json").read_text(encoding="utf-8"))
    said = {
        file["name"]: (file["quality"][0]["mustBe"], [[one["name"], one["physicalType"]] for one in file["properties"]])
        for file in found["schema"]
    }
    assert said == {name: (entry["rows"], entry["columns"]) for name, entry in manifest["files"].items()}
    assert (published_shop.audiences / "champions" / found["servers"][0]["path"]).resolve() == version.resolve()


def test_a_withdrawn_version_is_retired_and_leaves_the_catalogue(published_shop: TestShop) -> None:
    (version,) = (published_shop.audiences / "champions" / f"as_of={day(0)}").glob("[0-9a-f]*")
    catalogue = published_shop.audiences / "catalogue.json"
    (listed,) = json.loads(catalogue.read_text(encoding="utf-8"))["audiences"]
    assert (listed["audience_id"], listed["version"], listed["members"]) == ("champions", version.name, 20)
    assert (published_shop.audiences / listed["path"] / "manifest.json").is_file()
    assert (published_shop.audiences / listed["contract"]).is_file()
    withdraw(published_shop.home, "default", "champions", withdrawn_by="li", reason="wrong")
    assert contract_of(published_shop, version.name)["status"] == "retired"
    assert not catalogue.exists()


def test_a_catalogue_that_a_killed_publisher_left_behind_is_mended(published_shop: TestShop) -> None:
    catalogue = published_shop.audiences / "catalogue.json"
    before = catalogue.read_text(encoding="utf-8")
    catalogue.unlink()
    (published_shop.audiences / "champions" / "contracts").rename(published_shop.audiences / "gone")
    published_shop.publish_day(day(0))
    assert catalogue.read_text(encoding="utf-8") == before
    assert list((published_shop.audiences / "champions" / "contracts").iterdir())


# --- differences by rule ------------------------------------------------------------------------------------

PICKY = audience(exclude=[{"segment": "new_customer"}, {"segment": "interest"}])


def test_a_diff_says_by_which_rule_people_came_and_left(published_shop: TestShop) -> None:
    shop = published_shop
    shop.warehouse.leave("champions", ["c00", "c01"], day(1))
    shop.warehouse.enter("interest", ["c02"], day(1))
    shop.warehouse.enter("champions", ["new"], day(1))
    shop.publish_marts(day(1))
    shop.publish_audiences(day(1), [PICKY])
    found = diff(shop.home, "default", "champions", audience=PICKY)
    assert (found.added, found.removed) == (("new",), ("c00", "c01", "c02"))
    # The newcomer was no customer by the marts of the day before.
    assert found.by_rule == (
        RuleChange("in champions", 0, 2),
        RuleChange("not in interest", 0, 1),
        RuleChange(STRANGER, 1, 0),
    )


def test_a_diff_with_now_looks_at_the_newest_marts(published_shop: TestShop) -> None:
    shop = published_shop
    shop.warehouse.leave("champions", ["c00"], day(1))
    shop.publish_marts(day(1))
    found = diff(shop.home, "default", "champions", newer="now", audience=PICKY)
    assert (found.newer, found.added, found.removed) == ("now", (), ("c00",))
    assert found.by_rule == (RuleChange("in champions", 0, 1),)


def test_whom_no_rule_drops_was_kept_back(published_shop: TestShop) -> None:
    shop = published_shop
    shop.warehouse.suppressions = [("c05", "blacklisted")]
    shop.publish_day(day(1))
    found = diff(shop.home, "default", "champions", audience=audience())
    assert found.removed == ("c05",)
    assert found.by_rule == (RuleChange(KEPT_BACK, 0, 1),)
