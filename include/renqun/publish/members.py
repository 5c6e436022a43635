"""Who is in an audience: the rules of a definition, compiled with DuckDB's expression builder over published marts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce

import duckdb

from renqun.errors import RequestError
from renqun.publish import files
from renqun.publish.definitions import Audience
from renqun.publish.fields import MEASURES, PROFILE_FIELDS, Field, value_of
from renqun.publish.rules import (
    All,
    AnyOf,
    AudienceRule,
    Leaf,
    MeasureRule,
    Not,
    ProfileRule,
    Rule,
    SegmentRule,
    TagRule,
    children,
    leaves,
)
from renqun.sql_text import identifier

Relation = duckdb.DuckDBPyRelation
Expression = duckdb.Expression

_COLUMN, _CONSTANT, _CALL = duckdb.ColumnExpression, duckdb.ConstantExpression, duckdb.FunctionExpression


@dataclass(frozen=True)
class Step:
    """One step of the waterfall: a rule, and how many people are left behind it."""

    name: str
    people: int
    dropped: int


@dataclass(frozen=True)
class Marts:
    """The relations of published marts that rules ask, as of one date."""

    connection: duckdb.DuckDBPyConnection
    as_of: date

    def mart(self, name: str) -> Relation:
        """A mart, or a clear error where this version has none of that name.

        Raises:
            RequestError: it has none; an audience asks for more than the build made.
        """
        try:
            return self.connection.sql(f"select * from published.main.{identifier(name)}")
        except duckdb.CatalogException as error:
            raise RequestError(
                f"the published marts have no {name}",
                where="marts.duckdb",
                remedy="build the marts again with this release, then publish",
            ) from error

    def inside(self, segment_id: str) -> Relation:
        """Who is in a segment on the date: customer key, since when, and why."""
        column = _COLUMN
        is_inside = (column("entered_on") <= _CONSTANT(self.as_of)) & (
            column("exited_on").isnull() | (column("exited_on") > _CONSTANT(self.as_of))
        )
        found = self.mart("fct_segment_memberships").filter((column("segment_id") == _CONSTANT(segment_id)) & is_inside)
        return found.select(
            column("customer_key"), column("entered_on"), column("reason").cast("VARCHAR").alias("reason")
        )

    def segments(self) -> set[str]:
        """The segments that the marts speak of on the date, those without members too."""
        rows = self.mart("agg_segment_sizes__by_day").filter(_COLUMN("as_of_date") == _CONSTANT(self.as_of))
        return {str(row[0]) for row in rows.select("segment_id").distinct().fetchall()}


class Compiler:
    """Compiles definitions over one version of the marts; audiences may name each other."""

    def __init__(self, marts: Marts, definitions: Sequence[Audience]) -> None:
        self._marts = marts
        self._definitions: Mapping[str, Audience] = {one.id: one for one in definitions}

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The workbench that the relations belong to."""
        return self._marts.connection

    def members(self, audience: Audience) -> Relation:
        """The members in the order of their keys: customer key, entered_on and reason.

        `entered_on` is the day since when the rules hold as far as segments tell: of rules joined by `all` the last
        day, of rules joined by `any` the first; the business date where no segment is asked. `reason` is the segment's
        where one segment is the whole rule, else a JSON object of everything that held.
        """
        people = self._tested(audience)
        return (
            people.filter(_COLUMN("is_included") & ~_COLUMN("is_excluded"))
            .select("customer_key, entered_on, reason")
            .order("customer_key")
        )

    def waterfall(self, audience: Audience) -> list[Step]:
        """How many people each rule keeps and drops, in the order of the definition."""
        people = self._known_customers(audience)
        steps = [Step("customers of the shop", files.rows_of(people), 0)]
        for name, condition in self._conditions(audience):
            people = people.filter(condition)
            left = files.rows_of(people)
            steps.append(Step(name, left, steps[-1].people - left))
        return steps

    def first_failed(self, audience: Audience) -> Relation:
        """Every customer beside the first rule of the waterfall that drops them: `customer_key, rule`; null: none."""
        failed: Expression = _CONSTANT(None).cast("VARCHAR")
        for name, condition in reversed(self._conditions(audience)):
            failed = duckdb.CaseExpression(~condition, _CONSTANT(name)).otherwise(failed)
        return self._known_customers(audience).select(_COLUMN("customer_key"), failed.alias("rule"))

    @staticmethod
    def questions(audience: Audience) -> list[tuple[str, Rule]]:
        """What is asked of a person one after the other, as people say it; of exclusions, that they do not hold."""
        include = audience.include
        asked = [(rule.words, rule) for rule in (children(include) if isinstance(include, All) else (include,))]
        return asked + [(f"not {_bracketed(rule)}", Not.model_validate({"not": rule})) for rule in audience.exclude]

    def _conditions(self, audience: Audience) -> list[tuple[str, Expression]]:
        return [(name, self._holds(rule)) for name, rule in self.questions(audience)]

    def _tested(self, audience: Audience) -> Relation:
        people = self._known_customers(audience)
        include = audience.include
        reason = (
            _COLUMN(_name("reason", include.segment)) if isinstance(include, SegmentRule) else self._reason(include)
        )
        return people.select(
            _COLUMN("customer_key"),
            duckdb.CoalesceOperator(self._since(include), _CONSTANT(self._marts.as_of)).alias("entered_on"),
            reason.alias("reason"),
            self._holds(include).alias("is_included"),
            _any_of([self._holds(rule) for rule in audience.exclude]).alias("is_excluded"),
        )

    def _known_customers(self, audience: Audience) -> Relation:
        """All customers, and beside each whatever the rules of the audience ask."""
        asked = list(_distinct(leaf for rule in (audience.include, *audience.exclude) for leaf in leaves(rule)))
        people = self._marts.mart("dim_customers").select("customer_key")
        wanted: dict[str, list[Field]] = {}
        for field in _fields_of(asked):
            wanted.setdefault(field.mart, []).append(field)
        for mart, fields in sorted(wanted.items()):
            people = _beside(people, self._values(mart, fields))
        for leaf in asked:
            if isinstance(leaf, SegmentRule):
                people = _beside(people, self._segment(leaf.segment))
            elif isinstance(leaf, AudienceRule):
                people = _beside(people, self._audience(leaf.audience))
            elif isinstance(leaf, TagRule):
                people = _beside(people, self._tag(leaf))
        return people

    def _values(self, mart: str, fields: Sequence[Field]) -> Relation:
        as_of = _CONSTANT(self._marts.as_of)
        values = [value_of(field, field.column, as_of).alias(_name("field", field.name)) for field in fields]
        return self._marts.mart(mart).select(_COLUMN("customer_key"), *values)

    def _segment(self, segment_id: str) -> Relation:
        return self._marts.inside(segment_id).select(
            _COLUMN("customer_key"),
            _COLUMN("entered_on").alias(_name("segment", segment_id)),
            _COLUMN("reason").alias(_name("reason", segment_id)),
        )

    def _audience(self, audience_id: str) -> Relation:
        members = self.members(self._definitions[audience_id])
        return members.select(_COLUMN("customer_key"), _COLUMN("entered_on").alias(_name("audience", audience_id)))

    def _tag(self, rule: TagRule) -> Relation:
        if rule.category_id is None:
            scores = self._marts.mart("fct_customer_tags").filter(_COLUMN("tag_id") == _CONSTANT(rule.tag))
            return scores.select(_COLUMN("customer_key"), _COLUMN("score").alias(_name("tag", rule.tag)))
        shares = self._marts.mart("fct_customer_categories").filter(
            _COLUMN("category_id") == _CONSTANT(rule.category_id)
        )
        return shares.select(_COLUMN("customer_key"), _COLUMN("share").alias(_name("tag", rule.tag)))

    def _holds(self, rule: Rule) -> Expression:
        """Whether a rule holds; never unknown."""
        if isinstance(rule, Not):
            return ~self._holds(rule.not_)
        if isinstance(rule, All):
            return _all_of([self._holds(child) for child in children(rule)])
        if isinstance(rule, AnyOf):
            return _any_of([self._holds(child) for child in children(rule)])
        return duckdb.CoalesceOperator(_condition(rule), _CONSTANT(False))

    def _since(self, rule: Rule) -> Expression:
        """Since when a rule holds; null where no segment tells, or it does not hold."""
        if isinstance(rule, SegmentRule | AudienceRule):
            return _COLUMN(_place(rule))
        if isinstance(rule, All | AnyOf):
            days = [duckdb.CaseExpression(self._holds(child), self._since(child)) for child in children(rule)]
            return _CALL("greatest" if isinstance(rule, All) else "least", *days) if len(days) > 1 else days[0]
        return _CONSTANT(None).cast("DATE")

    def _reason(self, rule: Rule) -> Expression:
        """A JSON object of everything that held: segments with their reasons, and the values of fields."""
        asked = list(leaves(rule))
        pairs: list[Expression] = []
        for leaf in _distinct(asked):
            held = _any_of([self._holds(other) for other in asked if _place(other) == _place(leaf)])
            if isinstance(leaf, SegmentRule):
                fact = _COLUMN(_name("reason", leaf.segment)).cast("JSON")
            elif isinstance(leaf, AudienceRule):
                fact = _CALL("to_json", _CONSTANT(True))
            else:
                fact = _CALL("to_json", _COLUMN(_place(leaf)).cast("VARCHAR"))
            pairs += [_CONSTANT(_fact_name(leaf)), duckdb.CaseExpression(held, fact)]
        # A merge leaves out what is null: what did not hold is no reason.
        merged = _CALL("json_merge_patch", _CONSTANT("{}").cast("JSON"), _CALL("json_object", *pairs))
        return merged.cast("VARCHAR")


def require_sound(marts: Marts, definitions: Sequence[Audience]) -> None:
    """Refuse definitions that name what is not there: a typing error is not an empty audience.

    Raises:
        RequestError: a segment, a tag or an audience is unknown, or audiences name each other in a circle.
    """
    segments = marts.segments()
    for audience in definitions:
        asked = [leaf for rule in audience.rules for leaf in leaves(rule)]
        unknown = sorted({leaf.segment for leaf in asked if isinstance(leaf, SegmentRule)} - segments)
        if unknown:
            raise RequestError(
                f"the audience {audience.id!r} names segments that the marts do not have: {', '.join(unknown)}",
                where=f"audiences/{audience.id}.yml",
                remedy=f"known segments: {', '.join(sorted(segments)) or 'none'}",
            )
        tags = {leaf.tag for leaf in asked if isinstance(leaf, TagRule) and leaf.category_id is None}
        if tags and (unknown := sorted(tags - (known := _tags(marts)))):
            raise RequestError(
                f"the audience {audience.id!r} names tags that the marts do not have: {', '.join(unknown)}",
                where=f"audiences/{audience.id}.yml",
                remedy=f"known tags: {', '.join(sorted(known))}, and category_<id of a category>",
            )


def _tags(marts: Marts) -> set[str]:
    rows = marts.mart("dim_segments").filter(_COLUMN("family") == _CONSTANT("tag")).select("segment_id").fetchall()
    return {str(row[0]) for row in rows}


def _condition(leaf: Leaf) -> Expression:
    value = _COLUMN(_place(leaf))
    if isinstance(leaf, SegmentRule | AudienceRule):
        return value.isnotnull()
    if isinstance(leaf, ProfileRule):
        if leaf.known is not None:
            return value.isnotnull() if leaf.known else value.isnull()
        if leaf.in_ is not None:
            return value.isin(*[_CONSTANT(one) for one in leaf.in_])
        return value == _CONSTANT(leaf.is_)
    bounds = []
    if leaf.at_least is not None:
        bounds.append(value >= _CONSTANT(leaf.at_least))
    if leaf.above is not None:
        bounds.append(value > _CONSTANT(leaf.above))
    if leaf.at_most is not None:
        bounds.append(value <= _CONSTANT(leaf.at_most))
    if leaf.below is not None:
        bounds.append(value < _CONSTANT(leaf.below))
    return _all_of(bounds)


def _place(leaf: Leaf) -> str:
    """The column that holds what a rule asks for."""
    if isinstance(leaf, SegmentRule):
        return _name("segment", leaf.segment)
    if isinstance(leaf, AudienceRule):
        return _name("audience", leaf.audience)
    if isinstance(leaf, TagRule):
        return _name("tag", leaf.tag)
    return _name("field", leaf.measure if isinstance(leaf, MeasureRule) else leaf.profile)


def _fact_name(leaf: Leaf) -> str:
    if isinstance(leaf, SegmentRule):
        return leaf.segment
    if isinstance(leaf, AudienceRule):
        return leaf.audience
    if isinstance(leaf, TagRule):
        return leaf.tag
    return leaf.measure if isinstance(leaf, MeasureRule) else leaf.profile


def _fields_of(asked: Sequence[Leaf]) -> Iterator[Field]:
    seen: set[str] = set()
    for leaf in asked:
        field = (
            MEASURES[leaf.measure]
            if isinstance(leaf, MeasureRule)
            else PROFILE_FIELDS[leaf.profile]
            if isinstance(leaf, ProfileRule)
            else None
        )
        if field and field.name not in seen:
            seen.add(field.name)
            yield field


def _distinct(asked: Iterable[Leaf]) -> Iterator[Leaf]:
    """Rules that ask for the same thing, once: whatever they compare it with."""
    seen: set[str] = set()
    for leaf in asked:
        if _place(leaf) not in seen:
            seen.add(_place(leaf))
            yield leaf


def _beside(people: Relation, facts: Relation) -> Relation:
    return people.set_alias("people").join(facts.set_alias("facts"), "customer_key", how="left")


def _all_of(conditions: Sequence[Expression]) -> Expression:
    return reduce(lambda left, right: left & right, conditions)


def _any_of(conditions: Sequence[Expression]) -> Expression:
    return reduce(lambda left, right: left | right, conditions, _CONSTANT(False))


def _bracketed(rule: Rule) -> str:
    return f"({rule.words})" if isinstance(rule, All | AnyOf | Not) else rule.words


def _name(kind: str, name: str) -> str:
    return f"{kind}:{name}"
