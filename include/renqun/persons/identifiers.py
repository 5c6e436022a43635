"""By what a person is known, how those identifiers are written in one form, and which rows of a table are theirs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import duckdb

from renqun.sql_text import identifier

MEMBER_COLUMNS = ("customer_id", "member_id", "customer_nick")
PHONE_COLUMNS = ("phone", "address_phone", "billing_phone", "shipping_phone", "telephone")
EMAIL_COLUMNS = ("email",)
KEY_COLUMNS = ("customer_key", "from_key", "to_key", "previous_customer_key", "identifier_key", "contact_key")
TEXT_COLUMN = "_row_text"
"""The text of a row that was set aside: it may not have been possible to say which cell is what."""

_CELL_ENDS = '[,;|\\t"\\r\\n]+'


def canonical_phone(text: str) -> str:
    """SQL of a phone number in the one form that staging gives it; a test keeps it equal to dbt's macro."""
    narrow = f"translate({text}, '０１２３４５６７８９＋＊', '0123456789+*')"
    digits = f"regexp_replace({narrow}, '[^0-9]', '', 'g')"
    return (
        f"case when {narrow} like '%*%' then null when coalesce({digits}, '') = '' then null"
        f" when {narrow} like '%+%' then concat('+', {digits})"
        f" when {digits} like '1__________' then concat('+86', {digits})"
        f" when {digits} like '00%' then concat('+', substr({digits}, 3))"
        f" else concat('+', {digits}) end"
    )


def canonical_email(text: str) -> str:
    """SQL of an e-mail address in one form; a test keeps it equal to dbt's macro."""
    return f"case when {text} not like '%*%' then nullif(lower(trim({text})), '') end"


@dataclass(frozen=True)
class Identifiers:
    """Everything by which one person is known. Phone numbers and addresses: the hash of their canonical form."""

    member_id: frozenset[str] = frozenset()
    open_uid: frozenset[str] = frozenset()
    phone_hash: frozenset[str] = frozenset()
    email_hash: frozenset[str] = frozenset()
    visitor_id: frozenset[str] = frozenset()
    """Devices that never named anybody else."""
    order_id: frozenset[str] = frozenset()
    customer_key: frozenset[str] = frozenset()
    """Keys that are nobody else's today."""
    written: frozenset[str] = frozenset()
    """Phone numbers and addresses as they were written anywhere, and in canonical form: what a search looks for."""

    def __or__(self, other: Identifiers) -> Identifiers:
        return Identifiers(**{one.name: getattr(self, one.name) | getattr(other, one.name) for one in fields(self)})

    @classmethod
    def of(cls, content: Mapping[str, Iterable[str]]) -> Identifiers:
        """From lists by kind."""
        return cls(**{kind: frozenset(values) for kind, values in content.items()})

    def lists(self) -> dict[str, list[str]]:
        """Sorted lists by kind."""
        return {one.name: sorted(getattr(self, one.name)) for one in fields(self)}

    @property
    def people(self) -> dict[str, frozenset[str]]:
        """The kinds that make a customer."""
        return {kind: getattr(self, kind) for kind in ("open_uid", "member_id", "phone_hash", "email_hash")}

    @property
    def lasting(self) -> dict[str, frozenset[str]]:
        """The kinds by which the person would be known again in a file that comes later."""
        return {**self.people, "visitor_id": self.visitor_id, "order_id": self.order_id}

    @property
    def keys(self) -> frozenset[str]:
        """Keys of the person and of each identifier."""
        made = {md5(f"{kind}:{value}") for kind, values in self.people.items() for value in values}
        return self.customer_key | frozenset(made)

    def is_empty(self) -> bool:
        """Whether nothing is known of anybody."""
        return not any(self.people.values()) and not self.customer_key

    def meets(self, other: Identifiers) -> bool:
        """Whether both name one customer."""
        mine = {(kind, value) for kind, values in self.people.items() for value in values}
        theirs = {(kind, value) for kind, values in other.people.items() for value in values}
        return bool(mine & theirs or self.customer_key & other.customer_key)


def md5(text: str) -> str:
    """MD5 as hex: how keys are made of identifiers."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def sha256(text: str) -> str:
    """SHA-256 as hex."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Matcher:
    """SQL that says whether a row is the person's, over a table of values that stands beside it.

    With a salt the values are salted hashes: nobody can read them, and whoever is asked for has to be hashed first.
    """

    table: str
    salt: str | None = None

    def known(self, kind: str, value: str) -> str:
        """SQL: whether a value (SQL) is one of this kind."""
        return f"({self._asked(kind, value)}) in (select value from {self.table} where kind = '{self._kind(kind)}')"

    def rows(self, columns: Mapping[str, str]) -> str | None:
        """SQL over a table's columns (name → type): whether a row is the person's; None where no row can be.

        A device's row that names another customer is that customer's.
        """
        found = [self.known("member_id", identifier(name)) for name in MEMBER_COLUMNS if name in columns]
        named = list(found)
        found += [self._phone(identifier(name)) for name in PHONE_COLUMNS if name in columns]
        found += [self._email(identifier(name)) for name in EMAIL_COLUMNS if name in columns]
        found += [self.known(kind, identifier(kind)) for kind in ("open_uid", "order_id") if kind in columns]
        if "visitor_id" in columns:
            others = [f"{identifier(name)} is null" for name in MEMBER_COLUMNS if name in columns]
            device = self.known("visitor_id", identifier("visitor_id"))
            found.append(f"({device} and ({' and '.join(others)}))" if others and named else device)
        found += [self.known("key", identifier(name)) for name in KEY_COLUMNS if name in columns]
        if "person_id" in columns:
            found += [self.known(kind, identifier("person_id")) for kind in ("key", "visitor_id")]
        if columns.get("customer_ids", "").endswith("[]"):
            found.append(self._any("member_id", identifier("customer_ids"), "one"))
        if TEXT_COLUMN in columns:
            cells = f"regexp_split_to_array({TEXT_COLUMN}, '{_CELL_ENDS}')"
            kinds = ("member_id", "open_uid", "order_id", "visitor_id")
            found += [self._any(kind, cells, "trim(one)") for kind in kinds]
            found.append(self._any("phone_hash", cells, f"sha256({canonical_phone('one')})"))
            found.append(self._any("email_hash", cells, f"sha256({canonical_email('one')})"))
        if not found:
            return None
        return " or ".join(f"coalesce({one}, false)" for one in found)

    def _phone(self, column: str) -> str:
        return self.known("phone_hash", f"sha256({canonical_phone(column)})")

    def _email(self, column: str) -> str:
        return self.known("email_hash", f"sha256({canonical_email(column)})")

    def _any(self, kind: str, values: str, one: str) -> str:
        known = f"(select list(value) from {self.table} where kind = '{self._kind(kind)}')"
        return f"list_has_any([{self._asked(kind, one)} for one in {values}], {known})"

    def _asked(self, kind: str, value: str) -> str:
        return value if self.salt is None else f"sha256(concat('{self.salt}:{kind}:', {value}))"

    def _kind(self, kind: str) -> str:
        return kind if self.salt is None else "salted"


def matcher_of(connection: duckdb.DuckDBPyConnection, person: Identifiers) -> Matcher:
    """A matcher for one person, its values in a table of the connection."""
    known = {**person.lasting, "key": person.keys}
    fill(connection, "erased_values", [(kind, value) for kind, values in known.items() for value in sorted(values)])
    return Matcher("erased_values")


def fill(connection: duckdb.DuckDBPyConnection, table: str, rows: list[tuple[str, str]]) -> None:
    """Make the table of values that a matcher asks."""
    connection.execute(f"create or replace temp table {table} (kind varchar, value varchar)")
    if rows:
        kinds, values = [list(column) for column in zip(*rows, strict=True)]
        connection.execute(f"insert into {table} select unnest(?), unnest(?)", [kinds, values])


def columns_of(relation: Any) -> dict[str, str]:
    """Names and types of a relation's columns."""
    return dict(zip(relation.columns, (str(kind) for kind in relation.types), strict=True))
