"""Holdouts are the same people every day, under every key, and as many as were asked for."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renqun.publish.holdouts import held_out_sql, is_held_out, salt_of

KEYS = st.text("0123456789abcdef", min_size=32, max_size=32)
CHAINS = st.lists(KEYS, min_size=1, max_size=4)
SHARES = st.decimals(Decimal(0), Decimal("0.5"), places=4)
SALTS = st.builds(salt_of, st.sampled_from(["default", "other"]), st.sampled_from([None, "champions", "interest"]))


@given(keys=CHAINS, salt=SALTS, share=SHARES)
def test_the_same_question_has_the_same_answer(keys: list[str], salt: str, share: Decimal) -> None:
    assert is_held_out(keys, salt, share) == is_held_out(reversed(keys), salt, share)


@given(keys=CHAINS, more=CHAINS, salt=SALTS, share=SHARES)
def test_any_key_in_is_in_and_a_new_key_lets_nobody_out(
    keys: list[str], more: list[str], salt: str, share: Decimal
) -> None:
    together = is_held_out([*keys, *more], salt, share)
    assert together == (is_held_out(keys, salt, share) or is_held_out(more, salt, share))


@given(keys=CHAINS, salt=SALTS, share=SHARES, more=SHARES)
def test_a_larger_share_keeps_everybody_of_a_smaller_one(
    keys: list[str], salt: str, share: Decimal, more: Decimal
) -> None:
    if is_held_out(keys, salt, min(share, more)):
        assert is_held_out(keys, salt, max(share, more))


@given(keys=CHAINS, salt=SALTS)
def test_no_share_is_nobody(keys: list[str], salt: str) -> None:
    assert not is_held_out(keys, salt, Decimal(0))


@settings(max_examples=20, deadline=None)
@given(keys=st.lists(KEYS, min_size=1, max_size=50, unique=True), salt=SALTS, share=SHARES)
def test_sql_and_python_agree(keys: list[str], salt: str, share: Decimal) -> None:
    with duckdb.connect() as connection:
        connection.execute("create table people as select unnest(?) as customer_key", [keys])
        rows = connection.execute(f"select customer_key from people where {held_out_sql('customer_key', salt, share)}")
        assert {row[0] for row in rows.fetchall()} == {key for key in keys if is_held_out([key], salt, share)}


@pytest.mark.parametrize("share", ["0.01", "0.1", "0.5"])
@pytest.mark.parametrize("audience", [None, "champions", "interest"])
def test_the_share_is_right(share: str, audience: str | None) -> None:
    people = 20_000
    salt = salt_of("default", audience)
    found = sum(is_held_out([f"person {number}"], salt, Decimal(share)) for number in range(people))
    expected = people * float(share)
    # Five standard deviations of a binomial draw: the hash is fixed, so this never fails by chance.
    assert abs(found - expected) < 5 * (expected * (1 - float(share))) ** 0.5


def test_holdouts_of_two_audiences_are_independent() -> None:
    share = Decimal("0.5")
    one, other = salt_of("default", "champions"), salt_of("default", "interest")
    people = [f"person {number}" for number in range(10_000)]
    both = sum(is_held_out([key], one, share) and is_held_out([key], other, share) for key in people)
    assert 2_350 < both < 2_650  # a quarter


def test_no_audience_can_be_called_like_the_shop_as_a_whole() -> None:
    assert salt_of("default") != salt_of("default", "global")
