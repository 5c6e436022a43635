"""Who is meant: every identifier of one customer, followed through the warehouse's identity and the rows of raw."""

from __future__ import annotations

import duckdb

from renqun.errors import RequestError
from renqun.ingest.ledger import accepted_files, withdrawn_files
from renqun.persons.identifiers import (
    EMAIL_COLUMNS,
    PHONE_COLUMNS,
    Identifiers,
    canonical_email,
    canonical_phone,
    columns_of,
    matcher_of,
    sha256,
)
from renqun.publish import files
from renqun.settings import ShopPaths
from renqun.sql_text import identifier
from renqun.warehouse.connection import connect, has_table

_GIVE_ANOTHER = "give a customer id as exported, a phone number, an e-mail address or a customer key"


def named(who: str) -> Identifiers:
    """What the operator's word may mean, before anything was looked up: a member id, a phone number, an address."""
    with duckdb.connect() as connection:
        phone, email = _canonical(connection, who)
    return Identifiers(
        member_id=frozenset({who}),
        open_uid=frozenset({who}),
        phone_hash=_hashes(phone),
        email_hash=_hashes(email),
        customer_key=frozenset({who}),
        written=frozenset(one for one in (phone, email) if one),
    )


def of_warehouse(paths: ShopPaths, who: str) -> Identifiers | None:
    """The person as the last build knows them; None where it knows nobody by that name.

    Everything that identity joined to one customer is that customer's: member ids, platform ids, phone numbers,
    e-mail addresses, and devices that never named anybody else. An identifier in quarantine is nobody's.

    Raises:
        RequestError: the name is that of several customers.
    """
    if not paths.warehouse.exists():
        return None
    with connect(paths.warehouse, read_only=True) as connection:
        if not has_table(connection, "vault", "int_identifier_customers"):
            return None
        key = _customer(connection, who)
        return None if key is None else _everything(connection, key)


def of_raw(paths: ShopPaths, person: Identifiers) -> Identifiers:
    """What raw adds: orders of the person, and their numbers and addresses as they were written.

    A row links nobody here: who is one person is the warehouse's business. A phone number that a row of the person
    names beside theirs may be another's.
    """
    parquets = sorted([*accepted_files(paths).values(), *withdrawn_files(paths).values()])
    known = person
    with files.workbench() as connection:
        while True:
            found = known
            matcher = matcher_of(connection, known)
            for parquet in parquets:
                relation = files.read_parquet(connection, parquet)
                condition = matcher.rows(columns_of(relation))
                if condition is not None:
                    found |= _told(connection, relation.filter(condition), found)
            if found == known:
                return found
            known = found


def _told(connection: duckdb.DuckDBPyConnection, rows: duckdb.DuckDBPyRelation, person: Identifiers) -> Identifiers:
    orders: set[str] = set()
    written: set[str] = set()
    if "order_id" in rows.columns:
        orders |= _values(rows.select("order_id").distinct())
    canonical = {**dict.fromkeys(PHONE_COLUMNS, canonical_phone), **dict.fromkeys(EMAIL_COLUMNS, canonical_email)}
    theirs = person.phone_hash | person.email_hash
    for name, form in canonical.items():
        if name in rows.columns:
            pairs = (
                rows.select(f"{identifier(name)} as told, {form(identifier(name))} as canonical").distinct().fetchall()
            )
            written |= {
                one for told, form_of in pairs if form_of and sha256(form_of) in theirs for one in (told, form_of)
            }
    return Identifiers(order_id=frozenset(orders), written=frozenset(written))


def _customer(connection: duckdb.DuckDBPyConnection, who: str) -> str | None:
    phone, email = _canonical(connection, who)
    values = [who, *_hashes(phone), *_hashes(email)]
    rows = connection.execute(
        "select distinct customer_key from vault.int_identifier_customers"
        " where list_contains(?, identifier_value) or customer_key = ?",
        [values, who],
    ).fetchall()
    keys = {row[0] for row in rows}
    if not keys and has_table(connection, "marts", "customer_key_aliases"):
        rows = connection.execute(
            "select to_key from marts.customer_key_aliases where from_key = ?"
            " and to_key in (select customer_key from vault.int_identifier_customers)",
            [who],
        ).fetchall()
        keys = {row[0] for row in rows}
    if keys == {None}:
        raise RequestError(
            "this identifier was seen with so many customers that it is nobody's",
            remedy="name the person by another one: a customer id as exported, or a customer key",
        )
    keys.discard(None)
    if len(keys) > 1:
        raise RequestError(f"{len(keys)} customers are meant", remedy=_GIVE_ANOTHER)
    return next(iter(keys), None)


def _everything(connection: duckdb.DuckDBPyConnection, key: str) -> Identifiers:
    rows = connection.execute(
        "select identifier_kind, identifier_value, identifier_key from vault.int_identifier_customers"
        " where customer_key = ?",
        [key],
    ).fetchall()
    kinds = ("member_id", "open_uid", "phone_hash", "email_hash")
    of_kind = {kind: frozenset(value for found, value, _ in rows if found == kind) for kind in kinds}
    identifier_keys = [row[2] for row in rows]
    orders = set()
    if has_table(connection, "intermediate", "int_order_versions"):
        orders = _values(
            connection.execute(
                "select distinct order_id from intermediate.int_order_versions where list_contains(?, customer_id)",
                [sorted(of_kind["member_id"])],
            )
        )
    return Identifiers(
        **of_kind,
        visitor_id=frozenset(_read(connection, "intermediate", "int_visitor_links", "visitor_id", key)),
        order_id=frozenset(orders | _read(connection, "marts", "fct_orders", "order_id", key)),
        customer_key=frozenset({key} | _former(connection, identifier_keys)),
        written=frozenset(_contacts(connection, identifier_keys)),
    )


def _former(connection: duckdb.DuckDBPyConnection, identifier_keys: list[str]) -> set[str]:
    """Keys under which the person was published, as far as nobody else has them today."""
    if not has_table(connection, "vault", "int_customer_key_changes"):
        return set()
    return _values(
        connection.execute(
            "select distinct former from (select unnest([previous_customer_key, customer_key]) as former"
            " from vault.int_customer_key_changes where list_contains(?, identifier_key))"
            " where former is not null and former not in (select customer_key from vault.int_identifier_customers"
            " where customer_key is not null and not list_contains(?, identifier_key))",
            [identifier_keys, identifier_keys],
        )
    )


def _contacts(connection: duckdb.DuckDBPyConnection, identifier_keys: list[str]) -> set[str]:
    if not has_table(connection, "vault", "int_contact_sightings"):
        return set()
    query = "select contact from vault.int_contact_sightings where list_contains(?, contact_key)"
    return _values(connection.execute(query, [identifier_keys]))


def _read(connection: duckdb.DuckDBPyConnection, schema: str, table: str, column: str, key: str) -> set[str]:
    if not has_table(connection, schema, table):
        return set()
    query = f"select distinct {column} from {schema}.{table} where customer_key = ?"
    return _values(connection.execute(query, [key]))


def _values(rows: duckdb.DuckDBPyConnection | duckdb.DuckDBPyRelation) -> set[str]:
    return {str(row[0]) for row in rows.fetchall() if row[0] is not None}


def _canonical(connection: duckdb.DuckDBPyConnection, who: str) -> tuple[str | None, str | None]:
    query = f"select {canonical_phone('who')}, {canonical_email('who')} from (select ? as who)"
    phone, email = connection.execute(query, [who]).fetchall()[0]
    # A member id has digits as well: only what can be a number or an address is taken for one.
    is_phone = phone is not None and 8 <= len(phone) - 1 <= 15 and not set(who) - set("0123456789+-() .")
    return (phone if is_phone else None), (email if email and "@" in email else None)


def _hashes(contact: str | None) -> frozenset[str]:
    return frozenset() if contact is None else frozenset({sha256(contact)})
