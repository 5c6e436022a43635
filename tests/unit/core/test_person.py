"""What `renqun explain customer` says, out of marts made by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import duckdb
import pytest

from renqun.errors import RequestError
from renqun.publish.person import explain_person
from renqun.publish.reasons import in_words

MARTS = """
create schema marts;
create table marts.dim_customers as select 'shop' as shop_id, * from (values
    ('k1', ['m1', 'm2'], '浙江省', 2, 110.50), ('k2', ['m3'], null, 0, 0)
) as t (customer_key, customer_ids, province, deal_count, net_amount);
create table marts.fct_customer_rfm as select 'k1' as customer_key, 'champions' as rfm_class, 5 as r_score,
    4 as f_score, 3 as m_score;
create table marts.fct_segment_memberships as select 'shop' as shop_id, * replace (
    entered_on::date as entered_on, exited_on::date as exited_on) from (values
    ('champions', 'k1', '{"last_deal_date":"2026-03-01","frequency":2}', '2026-03-02', null, null),
    ('interest', 'k1', '[{"item_id":"i1","event_dates":["2026-02-01","2026-02-03"]}]', '2026-02-05', '2026-02-09',
        '{"interest_item_count":0,"last_deal_date":null}'),
    ('members', 'k2', '{"is_member":true}', '2026-01-01', null, null)
) as t (segment_id, customer_key, reason, entered_on, exited_on, exited_reason);
"""
LATER_MARTS = """
create table marts.dim_segments as select * from (values
    ('champions', 'Champions', '重要价值', 'All scores above the mean.'),
    ('interest', 'Interest', '兴趣人群', 'A wish.'),
    ('members', 'Members', '会员', 'Has joined.')
) as t (segment_id, name_en, name_zh, definition);
create table marts.fct_customer_stages as select 'k1' as customer_key, 'loyalty' as aipl_stage,
    'active' as lifecycle_stage, false as is_churn_risk;
create table marts.fct_customer_tags as select 'k1' as customer_key, 'price_sensitive' as tag_id, 0.5 as score;
create table marts.customer_key_aliases as select * from (values
    ('oldest', 'older'), ('older', 'k1'), ('torn', 'k1'), ('torn', 'k2'), ('round', 'about'), ('about', 'round')
) as t (from_key, to_key);
"""


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(MARTS)
        connection.execute(LATER_MARTS)
        yield connection


@pytest.mark.parametrize("who", ["k1", "m1", "m2", "older", "oldest"])
def test_a_customer_is_found_by_any_id_and_any_former_key(marts: duckdb.DuckDBPyConnection, who: str) -> None:
    person = explain_person(marts, who)
    assert person.customer_key == "k1"
    assert person.known_as == {"older": ("older",), "oldest": ("oldest", "older")}.get(who, ())
    assert person.facts["province"] == "浙江省"
    assert person.stages["lifecycle_stage"] == "active"
    assert person.stages["rfm_class"] == "champions"
    assert set(person.tags) == {"price_sensitive"}


def test_what_somebody_is_in_and_has_left_can_be_read_aloud(marts: duckdb.DuckDBPyConnection) -> None:
    person = explain_person(marts, "k1")
    (inside,), (left,) = person.inside, person.left
    assert inside.since == date(2026, 3, 2)
    assert inside.sentence == (
        "In Champions (重要价值) since 2026-03-02, because: last deal on: 2026-03-01, deals in the window: 2."
    )
    assert left.sentence == (
        "Left Interest (兴趣人群) on 2026-02-09, because: items wished for and not bought: 0, last deal on: none. "
        "Was in since 2026-02-05, because: item: i1, wished for on: 2026-02-01 and 2026-02-03."
    )


def test_older_marts_without_names_stages_and_aliases_are_explained_too() -> None:
    with duckdb.connect() as connection:
        connection.execute(MARTS)
        person = explain_person(connection, "m3")
    assert person.inside[0].sentence == "In members (members) since 2026-01-01, because: member: yes."
    assert person.stages == {}


@pytest.mark.parametrize(
    ("who", "said"),
    [("nobody", "know no customer"), ("round", "know no customer"), ("torn", "more than one customer: k1, k2")],
)
def test_who_is_not_one_customer_is_refused(marts: duckdb.DuckDBPyConnection, who: str, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        explain_person(marts, who)


def test_a_reason_that_is_no_json_is_told_as_it_is() -> None:
    assert in_words("because") == "because"
    assert in_words(None) is None
