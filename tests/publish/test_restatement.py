"""Which published versions would be others by what is known today, and by how many people; nothing is written again."""

from __future__ import annotations

from datetime import date

from shop_of_marts import Spell, TestShop, audience, day, tree

from renqun.publish.withdrawal import withdraw
from renqun.upkeep.restatement import RestatedAudience, Restatement, keep, restatement

PEOPLE = [f"c{number:02}" for number in range(20)]


def _late_data(shop: TestShop) -> None:
    """The next day's marts know: c00 and c01 were no champions on the first day, c50 was."""
    for spell in list(shop.warehouse.spells):
        if spell.customer in ("c00", "c01"):
            shop.warehouse.spells.remove(spell)
    shop.warehouse.enter("champions", ["c50"], day(0))
    # Known to the shop, and in no segment.
    shop.warehouse.spells += [Spell("interest", one, day(1)) for one in ("c00", "c01")]
    _tell_of(shop, day(0))
    shop.publish_marts(day(1))


def _tell_of(shop: TestShop, *dates: date) -> None:
    shop.warehouse.further += [
        f"insert into marts.agg_segment_sizes__by_day values ('default', date '{one}', 'champions', 0)" for one in dates
    ]


def _compared(shop: TestShop, *definitions) -> Restatement:
    return restatement(shop.home.paths("default"), "default", definitions=definitions or (audience(),))


def _only(found: Restatement) -> RestatedAudience:
    (one,) = found.audiences
    return one


def test_a_published_version_is_compared_with_what_is_known_today(published_shop: TestShop) -> None:
    before = tree(published_shop.audiences)
    _late_data(published_shop)
    found = _compared(published_shop)
    one = _only(found)
    assert (one.added, one.removed, one.added_for_certain, one.unknown) == (1, 2, 1, None)
    assert (one.as_of, one.members, one.is_latest, one.differs) == (day(0), 20, True, True)
    (marts,) = found.marts
    assert [(s.segment_id, s.added, s.removed) for s in marts.segments] == [("champions", 1, 2)]
    assert tree(published_shop.audiences) == before


def test_where_nothing_came_late_nothing_differs(published_shop: TestShop) -> None:
    _tell_of(published_shop, day(0))
    # Who left on the next day was in on the first.
    published_shop.warehouse.leave("champions", ["c00"], day(1))
    published_shop.publish_marts(day(1))
    found = _compared(published_shop)
    assert not _only(found).differs
    assert (_only(found).added, _only(found).removed) == (0, 0)
    assert [one.differs for one in found.marts] == [False]


def test_a_person_under_another_key_is_the_same_person(published_shop: TestShop) -> None:
    _tell_of(published_shop, day(0))
    for spell in published_shop.warehouse.spells:
        spell.customer = "c99" if spell.customer == "c00" else spell.customer
    published_shop.warehouse.aliases = [("c00", "c77"), ("c77", "c99")]
    published_shop.publish_marts(day(1))
    found = _compared(published_shop)
    assert (_only(found).added, _only(found).removed) == (0, 0)
    assert found.marts[0].segments == ()


def test_who_was_held_back_then_may_not_have_been_added(shop: TestShop) -> None:
    shop.warehouse.suppressions = [("c00", "blacklisted"), ("c01", "blacklisted")]
    shop.publish_day(day(0))
    shop.warehouse.enter("champions", ["c50"], day(0))
    _tell_of(shop, day(0))
    shop.publish_marts(day(1))
    one = _only(_compared(shop))
    # c00, c01 and c50 are meant and not named; two were held back, nobody remembers who.
    assert (one.added, one.held_back, one.added_for_certain, one.removed) == (3, 2, 1, 0)


def test_what_cannot_be_known_is_said_and_not_guessed(published_shop: TestShop) -> None:
    _late_data(published_shop)
    changed = audience(expiry_days=8)
    assert _only(_compared(published_shop, changed)).unknown == "its definition is another one today"
    published_shop.warehouse.further.clear()
    published_shop.publish_marts(day(2))
    assert _only(_compared(published_shop)).unknown == "the newest marts do not speak of that date"


def test_a_rule_that_asks_for_more_than_segments_needs_the_date_built_anew(shop: TestShop) -> None:
    buyers = audience(include={"all": [{"segment": "champions"}, {"profile": "is_buyer", "is": True}]})
    flags = "alter table marts.dim_customers add column is_buyer boolean default true"
    shop.warehouse.further = [flags]
    shop.publish_day(day(0), [buyers])
    shop.warehouse.further = [flags]
    _tell_of(shop, day(0))
    shop.publish_marts(day(1))
    one = _only(_compared(shop, buyers))
    assert one.unknown is not None
    assert f"--as-of {day(0)}" in one.unknown
    assert one.added is None

    # That date built anew on purpose, without one of them: now it is known.
    shop.warehouse.spells = [spell for spell in shop.warehouse.spells if spell.customer != "c03"]
    shop.warehouse.further = [flags]
    shop.publish_marts(day(0), is_latest=False)
    one = _only(_compared(shop, buyers))
    assert (one.added, one.removed, one.unknown) == (0, 1, None)


def test_a_withdrawn_version_is_nobodys_any_more(published_shop: TestShop) -> None:
    withdraw(published_shop.home, "default", "champions", withdrawn_by="ming", reason="test")
    _late_data(published_shop)
    assert _compared(published_shop).audiences == ()


def test_the_report_is_kept_by_the_marts_that_it_was_made_with(published_shop: TestShop) -> None:
    _late_data(published_shop)
    paths = published_shop.home.paths("default")
    found = _compared(published_shop)
    file = keep(paths, found)
    assert found.by is not None
    assert file == paths.quality / "restatements" / f"{day(1)}-{found.by.version}.json"
    assert Restatement.model_validate_json(file.read_bytes()) == found
