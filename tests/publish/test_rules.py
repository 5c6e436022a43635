"""The language of audiences: what is a rule, what is refused and how, and that every rule means what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from shop_of_marts import audience

from renqun.errors import RequestError
from renqun.publish.definitions import Audience, require_no_circle
from renqun.publish.fields import MEASURES, PROFILE_FIELDS
from renqun.publish.members import Compiler, Marts, require_sound
from renqun.publish.rules import Rule, leaves

AS_OF = date(2026, 3, 1)
RULE: TypeAdapter[Rule] = TypeAdapter(Rule)


def rule(value: object) -> Rule:
    return RULE.validate_python(value)


# --- what a rule says ---------------------------------------------------------------------------------------


def test_a_tree_reads_like_a_sentence() -> None:
    tree = rule(
        {
            "all": [
                {"segment": "cart_abandoners"},
                {"any": [{"tag": "price_sensitive", "at_least": 0.5}, {"measure": "net_amount", "above": "200.5"}]},
                {"not": {"profile": "tier", "in": ["regular", "senior"]}},
            ]
        }
    )
    assert tree.words == (
        "in cart_abandoners and (tag price_sensitive ≥ 0.5 or net_amount > 200.5) and not (tier in regular, senior)"
    )
    assert [leaf.form for leaf in leaves(tree)] == ["segment", "tag", "measure", "profile"]


def test_a_definition_survives_being_written_and_read() -> None:
    one = audience(include={"all": [{"segment": "a"}, {"not": {"profile": "is_fan", "is": True}}]})
    assert Audience.model_validate_json(one.model_dump_json()) == one


def test_the_hash_follows_every_rule() -> None:
    hashes = {
        audience(include={"measure": "net_amount", "at_least": bound}).definition_hash for bound in ("200", "200.01")
    }
    assert len(hashes) == 2


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"segment": "a", "tag": "b", "at_least": 1}, "exactly one of the keys segment, audience"),
        ({}, "exactly one of the keys"),
        ("segment", "exactly one of the keys"),
        ({"segment": "x'; drop table fct_orders; --"}, "should match pattern"),
        ({"audience": "../../etc"}, "should match pattern"),
        ({"segment": "a", "at_least": 1}, "Extra inputs are not permitted"),
        ({"measure": "shoe_size", "at_least": 40}, "there is no measure 'shoe_size'; there are days_since_"),
        ({"measure": "tier", "at_least": 40}, "there is no measure 'tier'"),
        ({"profile": "net_amount", "known": True}, "there is no profile field 'net_amount'"),
        ({"measure": "net_amount"}, "give at_least, at_most, above or below"),
        ({"measure": "net_amount", "at_least": 1, "above": 2}, "not two of a kind"),
        ({"measure": "net_amount", "at_least": 3, "below": 3}, "nobody is ≥ 3 and < 3"),
        ({"measure": "net_amount", "at_least": 4, "at_most": 3}, "nobody is ≥ 4 and ≤ 3"),
        ({"measure": "net_amount", "at_least": "much"}, "valid decimal"),
        ({"measure": "net_amount", "at_least": "nan"}, "finite number"),
        ({"profile": "tier"}, "give one of: is, in, known"),
        ({"profile": "tier", "is": "vip", "known": True}, "give one of: is, in, known"),
        ({"profile": "tier", "is": True}, "tier is a text"),
        ({"profile": "is_fan", "is": "yes"}, "is_fan is true or false"),
        ({"profile": "tier", "in": ["vip", "vip"]}, "a value is given twice"),
        ({"profile": "tier", "in": []}, "at least 1 item"),
        ({"profile": "tier", "is": "x" * 201}, "at most 200 characters"),
        ({"all": []}, "at least 1 item"),
        ({"not": [{"segment": "a"}]}, "exactly one of the keys"),
    ],
)
def test_what_is_no_rule_is_refused_with_the_reason(wrong: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said.replace("'", ".")):
        rule(wrong)


def test_rules_too_deep_to_read_are_refused() -> None:
    tree: dict[str, object] = {"segment": "a"}
    for _ in range(9):
        tree = {"not": tree}
    assert audience(include=tree)
    with pytest.raises(ValidationError, match="more than 10 rules stand inside each other"):
        audience(include={"not": tree})


def test_audiences_may_not_name_each_other_in_a_circle() -> None:
    one = audience("one", include={"audience": "two"})
    two = audience("two", include={"segment": "a"}, exclude=[{"not": {"audience": "three"}}])
    three = audience("three", include={"any": [{"segment": "b"}, {"audience": "one"}]})
    with pytest.raises(RequestError, match=r"in a circle: (one → )?(two → )?three → one"):
        require_no_circle([one, two, three])
    with pytest.raises(RequestError, match="names the audience 'three', which is not defined"):
        require_no_circle([one, two])
    with pytest.raises(RequestError, match="in a circle: self → self"):
        require_no_circle([audience("self", include={"audience": "self"})])


# --- whom a rule means --------------------------------------------------------------------------------------

SEGMENTS = ("a", "b")
TAGS = ("price_sensitive", "category_c1")
ASKED_MEASURES = ("net_amount", "days_since_last_paid", "r_score")
ASKED_PROFILE = ("tier", "is_fan", "aipl_stage")
Person = dict[str, Any]


def a_shop(people: Mapping[str, Person]) -> duckdb.DuckDBPyConnection:
    """Published marts in memory with these people."""
    connection = duckdb.connect()
    connection.execute("attach ':memory:' as published")
    columns: dict[str, dict[str, str]] = {}
    for field in (*MEASURES.values(), *PROFILE_FIELDS.values()):
        kind = {"text": "varchar", "flag": "boolean", "number": "decimal(18, 2)"}[field.kind]
        columns.setdefault(field.mart, {})[field.column] = "date" if field.counts_days else kind
    for mart, named in columns.items():
        listed = ", ".join(f"{name} {kind}" for name, kind in named.items())
        connection.execute(f"create table published.main.{mart} (customer_key varchar, {listed})")
        for key, person in people.items():
            # A mart may have no row for a customer: RFM has buyers only.
            if mart != "fct_customer_rfm" or person.get("r_score") is not None:
                given = {column: person[column] for column in named if column in person}
                names, marks = ", ".join(["customer_key", *given]), ", ".join("?" for _ in range(1 + len(given)))
                connection.execute(
                    f"insert into published.main.{mart} ({names}) values ({marks})", [key, *given.values()]
                )
    connection.execute(
        "create table published.main.fct_segment_memberships"
        " (segment_id varchar, customer_key varchar, entered_on date, exited_on date, reason varchar);"
        " create table published.main.fct_customer_tags (customer_key varchar, tag_id varchar, score decimal(9, 6));"
        " create table published.main.fct_customer_categories"
        " (customer_key varchar, category_id varchar, share decimal(9, 6));"
        " create table published.main.dim_segments (segment_id varchar, family varchar);"
        " create table published.main.agg_segment_sizes__by_day (as_of_date date, segment_id varchar);"
        " insert into published.main.dim_segments values ('price_sensitive', 'tag'), ('a', 'other')"
    )
    for segment in SEGMENTS:
        connection.execute("insert into published.main.agg_segment_sizes__by_day values (?, ?)", [AS_OF, segment])
    for key, person in people.items():
        for segment, entered in person.get("inside", {}).items():
            spell = [segment, key, entered, None, json.dumps({"since": str(entered)})]
            connection.execute("insert into published.main.fct_segment_memberships values (?, ?, ?, ?, ?)", spell)
        for segment in person.get("left", ()):
            spell = [segment, key, AS_OF - timedelta(days=9), AS_OF, None]
            connection.execute("insert into published.main.fct_segment_memberships values (?, ?, ?, ?, ?)", spell)
        for tag, score in person.get("tags", {}).items():
            if tag.startswith("category_"):
                values = [key, tag.removeprefix("category_"), score]
                connection.execute("insert into published.main.fct_customer_categories values (?, ?, ?)", values)
            else:
                connection.execute("insert into published.main.fct_customer_tags values (?, ?, ?)", [key, tag, score])
    return connection


def members_of(people: Mapping[str, Person], *definitions: Audience) -> dict[str, tuple[date, str | None]]:
    """The members of the first definition: since when, and why."""
    with a_shop(people) as connection:
        found = Compiler(Marts(connection, AS_OF), definitions).members(definitions[0]).fetchall()
    assert [row[0] for row in found] == sorted(row[0] for row in found)
    return {key: (entered, reason) for key, entered, reason in found}


def holds(tree: dict[str, Any], person: Person) -> bool:  # noqa: PLR0911
    """The language once more, in plain Python."""
    if "all" in tree:
        return all(holds(one, person) for one in tree["all"])
    if "any" in tree:
        return any(holds(one, person) for one in tree["any"])
    if "not" in tree:
        return not holds(tree["not"], person)
    if "segment" in tree:
        return tree["segment"] in person.get("inside", {})
    if "profile" in tree:
        value = person.get(tree["profile"])
        if "known" in tree:
            return (value is not None) is tree["known"]
        return value is not None and value in tree.get("in", [tree.get("is")])
    value = person.get("tags", {}).get(tree["tag"]) if "tag" in tree else measured(person, tree["measure"])
    return value is not None and all(
        {
            "at_least": value >= bound,
            "above": value > bound,
            "at_most": value <= bound,
            "below": value < bound,
        }[name]
        for name, bound in tree.items()
        if name not in ("tag", "measure")
    )


def measured(person: Person, measure: str) -> Decimal | int | None:
    value = person.get(MEASURES[measure].column)
    return (AS_OF - value).days if MEASURES[measure].counts_days and value is not None else value


amounts = st.sampled_from([None, *map(Decimal, ("0", "199.99", "200", "200.01"))])
persons = st.fixed_dictionaries(
    {
        "net_amount": amounts,
        "last_paid_date": st.sampled_from([None, AS_OF, AS_OF - timedelta(days=30), AS_OF - timedelta(days=31)]),
        "r_score": st.sampled_from([None, 1, 5]),
        "tier": st.sampled_from([None, "vip", "it's; --"]),
        "is_fan": st.sampled_from([None, True, False]),
        "aipl_stage": st.sampled_from([None, "loyalty"]),
        "inside": st.dictionaries(st.sampled_from(SEGMENTS), st.sampled_from([AS_OF, AS_OF - timedelta(days=5)])),
        "tags": st.dictionaries(st.sampled_from(TAGS), st.sampled_from([Decimal("0.4"), Decimal("0.5")])),
    }
)
bounds = st.one_of(
    st.sampled_from([{"at_least": 200}, {"above": 200}, {"at_most": 30}, {"below": 200}]),
    st.just({"at_least": 1, "at_most": 200}),
)
plain_rules = st.one_of(
    st.sampled_from(SEGMENTS).map(lambda name: {"segment": name}),
    st.tuples(st.sampled_from(ASKED_MEASURES), bounds).map(lambda two: {"measure": two[0], **two[1]}),
    st.sampled_from(TAGS).map(lambda name: {"tag": name, "at_least": 0.5}),
    st.sampled_from(
        [
            {"profile": "tier", "is": "vip"},
            {"profile": "tier", "in": ["it's; --", "other"]},
            {"profile": "tier", "known": False},
            {"profile": "is_fan", "is": False},
            {"profile": "aipl_stage", "known": True},
        ]
    ),
)
trees = st.recursive(
    plain_rules,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda rules: {"all": rules}),
        st.lists(inner, min_size=1, max_size=3).map(lambda rules: {"any": rules}),
        inner.map(lambda one: {"not": one}),
    ),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(people=st.lists(persons, min_size=1, max_size=6), include=trees, exclude=st.lists(trees, max_size=2))
def test_a_tree_means_the_people_that_plain_python_finds(
    people: list[Person], include: dict[str, Any], exclude: list[dict[str, Any]]
) -> None:
    named = {f"c{number}": person for number, person in enumerate(people)}
    found = members_of(named, audience(include=include, exclude=exclude))
    expected = {
        key
        for key, person in named.items()
        if holds(include, person) and not any(holds(one, person) for one in exclude)
    }
    assert set(found) == expected


def test_the_fields_of_every_mart_can_be_asked() -> None:
    one = {"last_paid_date": AS_OF, "r_score": 3, "net_amount": Decimal("1")}
    for name in MEASURES:
        members_of({"c": one}, audience(include={"measure": name, "at_least": 0}))
    for name, field in PROFILE_FIELDS.items():
        value = True if field.kind == "flag" else "x"
        members_of({"c": one}, audience(include={"profile": name, "is": value}))


def test_somebody_who_has_left_a_segment_is_not_in_it() -> None:
    people = {"gone": {"left": ["a"]}, "here": {"inside": {"a": AS_OF}}}
    assert set(members_of(people, audience(include={"segment": "a"}))) == {"here"}


def test_since_when_and_why() -> None:
    early, late = AS_OF - timedelta(days=9), AS_OF - timedelta(days=2)
    people: dict[str, Person] = {
        "both": {"inside": {"a": early, "b": late}, "net_amount": Decimal("200.00")},
        "only_a": {"inside": {"a": early}, "net_amount": Decimal("7.50")},
    }
    alone = members_of(people, audience(include={"segment": "a"}))
    assert alone["both"] == (early, '{"since": "2026-02-20"}'), "a segment's own reason, as it is"

    either = members_of(people, audience(include={"any": [{"segment": "a"}, {"segment": "b"}]}))
    assert either["both"][0] == early
    both = members_of(people, audience(include={"all": [{"segment": "a"}, {"segment": "b"}]}))
    assert list(both) == ["both"]
    assert both["both"][0] == late
    assert json.loads(both["both"][1] or "") == {"a": {"since": str(early)}, "b": {"since": str(late)}}

    rich = {"any": [{"measure": "net_amount", "at_least": 100}, {"segment": "b"}]}
    found = members_of(people, audience(include={"all": [{"segment": "a"}, rich]}))
    assert json.loads(found["both"][1] or "") == {
        "a": {"since": str(early)},
        "net_amount": "200.00",
        "b": {"since": str(late)},
    }
    by_amount = members_of(people, audience(include={"measure": "net_amount", "below": 100}))
    assert by_amount == {"only_a": (AS_OF, '{"net_amount":"7.50"}')}, "no segment tells since when"


def test_an_audience_stands_for_its_rules() -> None:
    people: dict[str, Person] = {
        key: {"inside": dict.fromkeys(segments, AS_OF)} for key, segments in {"x": "a", "y": "ab", "z": "b"}.items()
    }
    other = audience("other", include={"segment": "b"}, exclude=[{"segment": "a"}])
    assert set(members_of(people, audience(include={"audience": "other"}), other)) == {"z"}
    kept_out = audience(include={"segment": "a"}, exclude=[{"not": {"audience": "other"}}])
    assert set(members_of(people, kept_out, other)) == set()


@pytest.fixture
def nobody() -> Iterator[Marts]:
    with a_shop({}) as connection:
        yield Marts(connection, AS_OF)


def test_a_typing_error_is_no_empty_audience(nobody: Marts) -> None:
    with pytest.raises(RequestError, match="segments that the marts do not have: bb"):
        require_sound(nobody, [audience(include={"not": {"segment": "bb"}})])
    with pytest.raises(RequestError, match="tags that the marts do not have: price_sensitiv"):
        require_sound(nobody, [audience(include={"tag": "price_sensitiv", "at_least": 0.5})])
    require_sound(nobody, [audience(include={"tag": "category_anything at all", "at_least": 0.5})])


def test_the_waterfall_says_what_each_rule_keeps_and_drops() -> None:
    people: dict[str, Person] = {
        "x": {"inside": {"a": AS_OF}, "net_amount": Decimal("300")},
        "y": {"inside": {"a": AS_OF}, "net_amount": Decimal("3")},
        "z": {"inside": {"a": AS_OF, "b": AS_OF}, "net_amount": Decimal("300")},
        "nobody": {},
    }
    definition = audience(
        include={"all": [{"segment": "a"}, {"measure": "net_amount", "at_least": 100}]}, exclude=[{"segment": "b"}]
    )
    with a_shop(people) as connection:
        steps = Compiler(Marts(connection, AS_OF), [definition]).waterfall(definition)
    assert [(step.name, step.dropped, step.people) for step in steps] == [
        ("customers of the shop", 0, 4),
        ("in a", 1, 3),
        ("net_amount ≥ 100", 1, 2),
        ("not in b", 1, 1),
    ]
