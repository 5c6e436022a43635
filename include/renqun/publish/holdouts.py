"""Who is kept out so that an effect can be measured: the same people on every day, without a list of them.

A key is in the holdout of a salt when its hash falls into the share. A person who had other keys before (people are
merged and split) is in when any of them is: once in, always in, whatever becomes of the key. A larger share keeps
everybody whom a smaller one kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from decimal import Decimal

_HEX_DIGITS = 12
_BUCKETS = 16**_HEX_DIGITS


def salt_of(shop_id: str, audience_id: str | None = None) -> str:
    """What makes the holdouts of two shops, or of two audiences, independent; without an audience the shop's own."""
    return f"{shop_id}/global" if audience_id is None else f"{shop_id}/audience/{audience_id}"


def is_held_out(keys: Iterable[str], salt: str, share: Decimal) -> bool:
    """Whether a person with these keys, the present one and all former ones, is in a holdout.

    Args:
        keys: the key chain of the person.
        salt: what `salt_of` gives.
        share: of the people who are in, from 0 to 1.
    """
    return any(_bucket(key, salt) < _limit(share) for key in keys)


def held_out_sql(key: str, salt: str, share: Decimal) -> str:
    """The same of a single key as SQL.

    Args:
        key: SQL of the key.
        salt: what `salt_of` gives; ids of shops and audiences only, so that it needs no quoting.
        share: of the people who are in, from 0 to 1.
    """
    hashed = f"substr(sha256(concat('{salt}', ':', {key})), 1, {_HEX_DIGITS})"
    return f"cast(concat('0x', {hashed}) as bigint) < {_limit(share)}"


def planned_share(shares: Iterable[Decimal]) -> Decimal:
    """Share of the people who are in one of several holdouts, which are independent of each other."""
    addressed = Decimal(1)
    for share in shares:
        addressed *= 1 - share
    return 1 - addressed


def _bucket(key: str, salt: str) -> int:
    return int(hashlib.sha256(f"{salt}:{key}".encode()).hexdigest()[:_HEX_DIGITS], 16)


def _limit(share: Decimal) -> int:
    return int(share * _BUCKETS)
