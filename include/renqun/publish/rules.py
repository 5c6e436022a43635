"""The language of audiences: a tree of rules over segments, tags, measures, profile fields and other audiences.

```yaml
include:
  all:
    - segment: cart_abandoners
    - measure: net_amount
      at_least: 200
    - not: {profile: tier, is: supreme}
exclude:
  - audience: recent_buyers
```

A rule that asks for something unknown of a customer (an empty field) does not hold; `not` turns that into "holds".
Nothing here is SQL: names are checked against what there is, values are passed as constants.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StrictBool, Tag, field_validator, model_validator

from renqun.publish.fields import MEASURES, PROFILE_FIELDS

_NAME = r"^[a-z][a-z0-9_]{0,60}$"
ONE_LINE = r"^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]+$"
"""Text that is shown on a terminal or a page: nothing in it moves a cursor, ends a line or turns one round."""
_LONGEST_TEXT = 200
_MOST_VALUES = 500
_DEEPEST = 10

Number = Annotated[Decimal, Field(max_digits=18, decimal_places=6, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1, max_length=_LONGEST_TEXT, pattern=ONE_LINE)]


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, serialize_by_alias=True)

    form: ClassVar[str]
    """The key by which a definition says which kind of rule this is."""


class SegmentRule(_Rule):
    """Is in the segment on the business date."""

    form: ClassVar[str] = "segment"

    segment: str = Field(pattern=_NAME)

    @property
    def words(self) -> str:
        """The rule as a person says it."""
        return f"in {self.segment}"


class AudienceRule(_Rule):
    """Meets the rules of another audience, before its suppression and holdout."""

    form: ClassVar[str] = "audience"

    audience: str = Field(pattern=_NAME)

    @property
    def words(self) -> str:
        """The rule as a person says it."""
        return f"in the audience {self.audience}"


class _NumberRule(_Rule):
    """A number lies between bounds; a bound that is not given does not count."""

    at_least: Number | None = None
    at_most: Number | None = None
    above: Number | None = None
    below: Number | None = None

    @model_validator(mode="after")
    def _bounds_can_be_met(self) -> _NumberRule:
        lower = [bound for bound in (self.at_least, self.above) if bound is not None]
        upper = [bound for bound in (self.at_most, self.below) if bound is not None]
        if not lower and not upper:
            raise ValueError("give at_least, at_most, above or below")
        if len(lower) > 1 or len(upper) > 1:
            raise ValueError("give one lower and one upper bound, not two of a kind")
        if lower and upper:
            is_open = self.above is not None or self.below is not None
            if lower[0] > upper[0] or (is_open and lower[0] == upper[0]):
                raise ValueError(f"nobody is {self._bounds}")
        return self

    @property
    def _bounds(self) -> str:
        given = {"≥": self.at_least, ">": self.above, "≤": self.at_most, "<": self.below}
        return " and ".join(f"{sign} {bound}" for sign, bound in given.items() if bound is not None)


class TagRule(_NumberRule):
    """The score of a tag (0 to 1), or the share of a category in the behaviour: `category_<id>`."""

    form: ClassVar[str] = "tag"

    tag: Text

    @property
    def category_id(self) -> str | None:
        """The category whose share is meant; None for a tag."""
        return self.tag.removeprefix("category_") if self.tag.startswith("category_") else None

    @property
    def words(self) -> str:
        """The rule as a person says it."""
        return f"tag {self.tag} {self._bounds}"


class MeasureRule(_NumberRule):
    """A number that the customer's orders or visits add up to."""

    form: ClassVar[str] = "measure"

    measure: str

    @field_validator("measure")
    @classmethod
    def _measure_exists(cls, value: str) -> str:
        return _known(value, "measure", MEASURES)

    @property
    def words(self) -> str:
        """The rule as a person says it."""
        return f"{self.measure} {self._bounds}"


class ProfileRule(_Rule):
    """A text or flag of the customer: is one value, is one of several, or is known at all."""

    form: ClassVar[str] = "profile"

    profile: str
    is_: Text | StrictBool | None = Field(default=None, alias="is")
    in_: tuple[Text, ...] | None = Field(default=None, alias="in", min_length=1, max_length=_MOST_VALUES)
    known: StrictBool | None = None

    @field_validator("profile")
    @classmethod
    def _field_exists(cls, value: str) -> str:
        return _known(value, "profile field", PROFILE_FIELDS)

    @model_validator(mode="after")
    def _one_question_of_the_right_kind(self) -> ProfileRule:
        asked = [name for name in ("is_", "in_", "known") if getattr(self, name) is not None]
        if len(asked) != 1:
            raise ValueError("give one of: is, in, known")
        kind = PROFILE_FIELDS[self.profile].kind
        if kind == "flag" and (self.in_ is not None or isinstance(self.is_, str)):
            raise ValueError(f"{self.profile} is true or false")
        if kind == "text" and isinstance(self.is_, bool):
            raise ValueError(f"{self.profile} is a text")
        if self.in_ is not None and len(set(self.in_)) != len(self.in_):
            raise ValueError("a value is given twice")
        return self

    @property
    def words(self) -> str:
        """The rule as a person says it."""
        if self.known is not None:
            return f"{self.profile} is {'known' if self.known else 'not known'}"
        if self.in_ is not None:
            return f"{self.profile} in {', '.join(self.in_)}"
        return f"{self.profile} is {str(self.is_).lower() if isinstance(self.is_, bool) else self.is_}"


class All(_Rule):
    """Every one of the rules holds."""

    form: ClassVar[str] = "all"

    all_: tuple[Rule, ...] = Field(alias="all", min_length=1)

    @property
    def words(self) -> str:
        """The rule as a person says it."""
        return _joined(self.all_, " and ")


class AnyOf(_Rule):
    """At least one of the rules holds."""

    form: ClassVar[str] = "any"

    any_: tuple[Rule, ...] = Field(alias="any", min_length=1)

    @property
    def words(self) -> str:
        """The rule as a person says it."""
        return _joined(self.any_, " or ")


class Not(_Rule):
    """The rule does not hold."""

    form: ClassVar[str] = "not"

    not_: Rule = Field(alias="not")

    @property
    def words(self) -> str:
        """The rule as a person says it."""
        return f"not ({self.not_.words})"


_FORMS = ("segment", "audience", "tag", "measure", "profile", "all", "any", "not")


def _form_of(value: Any) -> str | None:
    """Which form a rule has: the one of its keys that names a form. Two of them, or none, make no rule."""
    if isinstance(value, _Rule):
        return value.form
    named = [form for form in _FORMS if isinstance(value, dict) and form in value]
    return named[0] if len(named) == 1 else None


Rule = Annotated[
    Annotated[SegmentRule, Tag("segment")]
    | Annotated[AudienceRule, Tag("audience")]
    | Annotated[TagRule, Tag("tag")]
    | Annotated[MeasureRule, Tag("measure")]
    | Annotated[ProfileRule, Tag("profile")]
    | Annotated[All, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[Not, Tag("not")],
    Discriminator(
        _form_of,
        custom_error_type="rule_form",
        custom_error_message=f"a rule has exactly one of the keys {', '.join(_FORMS)}",
    ),
]
"""One rule of a definition."""

Leaf = SegmentRule | AudienceRule | TagRule | MeasureRule | ProfileRule

for _model in (All, AnyOf, Not):
    _model.model_rebuild()


def leaves(rule: Rule) -> Iterator[Leaf]:
    """The rules of a tree that ask something of a customer, in the order of the text."""
    if isinstance(rule, Not):
        yield from leaves(rule.not_)
    elif isinstance(rule, All | AnyOf):
        for child in children(rule):
            yield from leaves(child)
    else:
        yield rule


def children(rule: Rule) -> tuple[Rule, ...]:
    """The rules that a rule joins; a rule that joins none is its own."""
    if isinstance(rule, All):
        return rule.all_
    if isinstance(rule, AnyOf):
        return rule.any_
    return (rule,)


def depth(rule: Rule) -> int:
    """How many rules stand inside each other."""
    inside = (rule.not_,) if isinstance(rule, Not) else children(rule) if isinstance(rule, All | AnyOf) else ()
    return 1 + max((depth(child) for child in inside), default=0)


def require_shallow(rule: Rule) -> Rule:
    """A tree that nobody can read is refused.

    Raises:
        ValueError: it is deeper than ten rules.
    """
    if depth(rule) > _DEEPEST:
        raise ValueError(f"more than {_DEEPEST} rules stand inside each other")
    return rule


def _known(value: str, what: str, known: dict[str, Any]) -> str:
    if value not in known:
        raise ValueError(f"there is no {what} {value!r}; there are {', '.join(sorted(known))}")
    return value


def _joined(rules: tuple[Rule, ...], word: str) -> str:
    return word.join(f"({rule.words})" if isinstance(rule, All | AnyOf) else rule.words for rule in rules)


__all__ = [
    "All",
    "AnyOf",
    "AudienceRule",
    "Leaf",
    "MeasureRule",
    "Not",
    "ProfileRule",
    "Rule",
    "SegmentRule",
    "TagRule",
    "children",
    "depth",
    "leaves",
    "require_shallow",
]
