"""Who was erased must not come back: salted hashes of identifiers, asked of every row that is taken in.

The file holds a random salt of the shop and hashes, never an identifier. Whoever has the file can try a guess, so it
can be read by its owner only and is no part of anything published. See docs/adr/0024-erasing-a-person.md.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

import duckdb
from pydantic import BaseModel, ConfigDict, ValidationError

from renqun.errors import TechnicalError
from renqun.persons.identifiers import Identifiers, Matcher, fill, sha256
from renqun.settings import ShopPaths
from renqun.storage import write_json_atomically

ERASED_REASON = "erased_person"
"""Rows that are left out because their person was erased; counted in a batch's ledger entry."""

_TABLE = "tombstones"


class Tombstones(BaseModel):
    """The salt of a shop, and the hashes by erased person."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    salt: str
    erased: dict[str, tuple[str, ...]] = {}
    """By fingerprint: hashes of everything by which the person would be known again."""

    def hashes(self, person: Identifiers) -> frozenset[str]:
        """The hashes of a person's identifiers."""
        return frozenset(
            sha256(f"{self.salt}:{kind}:{value}") for kind, values in person.lasting.items() for value in values
        )

    def fingerprint(self, person: Identifiers) -> str:
        """What a person is called once the name is gone: a salted hash of the least of their identifiers.

        Who was erased and named again has the fingerprint of before.
        """
        mine = {sha256(f"{self.salt}:{kind}:{one}") for kind, values in person.people.items() for one in values}
        mine |= {sha256(f"{self.salt}:key:{one}") for one in person.customer_key if not mine}
        for known, hashes in sorted(self.erased.items()):
            if mine & set(hashes):
                return known
        return min(mine)[:16]

    def with_person(self, person: Identifiers) -> Tombstones:
        """The same with one more person, or with more identifiers of one."""
        name = self.fingerprint(person)
        hashes = sorted({*self.erased.get(name, ()), *self.hashes(person)})
        return self.model_copy(update={"erased": {**self.erased, name: tuple(hashes)}})

    def matcher(self, connection: duckdb.DuckDBPyConnection) -> Matcher:
        """A matcher of everybody who was erased."""
        hashes: Iterable[str] = sorted({one for hashes in self.erased.values() for one in hashes})
        fill(connection, _TABLE, [("salted", one) for one in hashes])
        return Matcher(_TABLE, self.salt)


def tombstone_file(paths: ShopPaths) -> Path:
    """Where a shop's tombstones are."""
    return paths.raw / "erased" / "tombstones.json"


def load_tombstones(paths: ShopPaths) -> Tombstones | None:
    """The tombstones of a shop; None where nobody was ever erased.

    Raises:
        TechnicalError: they cannot be read: then nobody can say who must stay out.
    """
    file = tombstone_file(paths)
    if not file.exists():
        return None
    try:
        return Tombstones.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise TechnicalError(
            f"nobody can say who was erased: {type(error).__name__}",
            where=str(file),
            remedy="restore the file from a backup; without it erased people would come back",
        ) from error


def new_tombstones() -> Tombstones:
    """No tombstones yet, and a salt."""
    return Tombstones(salt=secrets.token_hex(32))


def keep_tombstones(paths: ShopPaths, tombstones: Tombstones) -> None:
    """Write them, for the owner only."""
    before = os.umask(0o077)
    try:
        write_json_atomically(tombstone_file(paths), tombstones.model_dump(mode="json"))
    finally:
        os.umask(before)
