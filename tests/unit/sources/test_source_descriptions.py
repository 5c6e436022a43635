"""The descriptions of sources against the real headers: recognised by names alone, and by one source only."""

from __future__ import annotations

import re

import pytest

from fixtures.exports import sycm
from fixtures.exports.everything import exports
from fixtures.exports.export import Export
from renqun.ingest.catalogue import Source, all_sources, get_source
from renqun.ingest.match import best_fit, fit
from renqun.ingest.names import folded, tidied

PLATFORMS = tuple(source for source in all_sources() if not source.is_generic)
GENERIC = {"orders", "traffic_events", "traffic_sources", "members", "consent", "suppressions"}
_LOOKS_PERSONAL = re.compile(
    r"phone|e-?mail|address|street|zip|postal|(first|last|billing|shipping) name|notes?\b"
    r"|姓名|地址|手机|电话|邮编|会员名|昵称|留言|抬头|备注$",
    re.IGNORECASE,
)
_HARMLESS = {"remark", "is_mobile", "city", "province", "country", "accepts_email_marketing"}
"""Columns whose names only look as if they held personal data."""

by_export = pytest.mark.parametrize("export", exports(), ids=lambda export: export.called)
by_platform = pytest.mark.parametrize("source", PLATFORMS, ids=lambda source: source.source)


def _accepted(source: Source) -> set[str]:
    return {folded(name) for column in source.columns for name in column.accepted}


@by_export
def test_a_real_header_is_of_its_source_and_of_no_other(export: Export) -> None:
    assert [source.source for source in all_sources() if fit(source, export.header).fits] == [export.source]
    assert best_fit(export.header, None).source.source == export.source


@by_export
def test_a_header_is_recognised_in_any_order_and_with_a_column_more(export: Export) -> None:
    shuffled = (*reversed(export.header), "一个新列")
    assert best_fit(shuffled, None).source.source == export.source
    assert best_fit(shuffled, None).fits


@by_export
def test_a_header_without_a_required_name_is_of_no_source(export: Export) -> None:
    source = get_source(export.source)
    for column in source.columns:
        outside = source.dates is not None and column.name == source.dates.column
        if not column.required or outside:
            continue
        accepted = {folded(name) for name in column.accepted}
        left = [name for name in export.header if not _stands_for(folded(name), accepted)]
        assert not any(fit(other, left).fits for other in all_sources()), f"without {column.name}"


def _stands_for(name: str, accepted: set[str]) -> bool:
    return any(re.fullmatch(re.escape(known).replace(r"\{currency\}", "[a-z]{3}"), name) for known in accepted)


@by_export
def test_what_is_planted_has_a_column(export: Export) -> None:
    assert {planted.column for planted in export.planted} <= set(get_source(export.source).names)


def test_every_source_and_every_version_has_a_file() -> None:
    written = {(export.source, export.version) for export in exports()}
    described = {(source.source, version.name) for source in PLATFORMS for version in source.versions}
    described |= {(source.source, "") for source in PLATFORMS if not source.versions}
    assert written == described


def test_the_generic_sources_are_those_that_any_shop_can_write() -> None:
    assert {source.source for source in all_sources() if source.is_generic} == GENERIC


def test_generic_sources_have_aliases_and_prefer_their_own_names() -> None:
    for name in GENERIC:
        source = get_source(name)
        assert any(len(column.accepted) > 1 for column in source.columns), name
        for column in source.columns:
            assert column.accepted[0] in {column.name, "date"}


@by_platform
def test_names_are_written_as_they_are_compared(source: Source) -> None:
    """A name with a blank at its end or a full-width bracket would hide what it is compared with."""
    written = [name for column in source.columns for name in column.accepted]
    written += [*source.recognise.has, *source.recognise.lacks]
    written += [name for names in source.recognise.has_any for name in names]
    written += [name for version in source.versions for name in version.has]
    assert [name for name in written if tidied(name) != name] == []


@by_platform
def test_what_a_source_must_lack_is_not_what_it_knows(source: Source) -> None:
    assert not {folded(name) for name in source.recognise.lacks} & _accepted(source)


@pytest.mark.parametrize("source", all_sources(), ids=lambda source: source.source)
def test_personal_data_is_marked(source: Source) -> None:
    """What is not marked is shown by 'renqun sources check'."""
    unmarked = [
        column.name
        for column in source.columns
        if not column.personal
        and column.name not in _HARMLESS
        and any(_LOOKS_PERSONAL.search(name) for name in column.accepted)
    ]
    assert unmarked == []


@by_platform
def test_a_later_export_has_a_rule(source: Source) -> None:
    assert source.merge is not None
    assert source.title
    assert all(column.meaning for column in source.columns)


@pytest.mark.parametrize("name", ["taobao_orders", "taobao_order_items", "taobao_refunds"])
def test_a_cut_down_export_is_never_taken_for_a_list_of_excluded_orders(name: str) -> None:
    """Such a mistake would take every order out of every mart."""
    excluded = get_source("taobao_excluded_orders")
    never = {folded(header) for header in excluded.recognise.lacks}
    own = _accepted(excluded)
    assert _accepted(get_source(name)) - own <= never


def test_the_sources_of_a_single_item_are_not_taken_for_those_of_the_shop() -> None:
    assert [source.source for source in all_sources() if fit(source, sycm.ITEM_SOURCES).fits] == []
