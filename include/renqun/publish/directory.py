"""Who may be reached and how: contacts, consent and suppression, read from the warehouse's vault at publishing time.

Nothing here leaves the connection but relations and counts: no contact is logged, and none is in an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb

from renqun.errors import GateFailed
from renqun.ingest.ledger import accepted_batches
from renqun.publish import files
from renqun.publish.definitions import PurposeKind
from renqun.publish.members import Marts
from renqun.run import RunContext
from renqun.sql_text import literal

Relation = duckdb.DuckDBPyRelation

SUPPRESSION_CAUSES = ("blacklisted", "open_complaint", "opted_out", "recent_refund")
"""Why nothing is sent to somebody; who has several causes is counted under the first."""
CONSENT_SOURCES = frozenset({"consent", "shopify_customers"})
"""Exports that tell of consent."""
VAULT_SOURCES = CONSENT_SOURCES | {"suppressions"}
"""Exports after whose arrival nothing is published before the warehouse has read them."""

_WORKSHOP = "workshop"
_PEOPLE = f"""
create or replace temp table vault_keys as
with recursive

known as (
    select customer_key from {_WORKSHOP}.vault.int_customer_contacts
),

moved(customer_key, vault_key) as (
    select customer_key, customer_key from published.main.dim_customers
    union
    select moved.customer_key, aliases.to_key
    from moved
    inner join {_WORKSHOP}.marts.customer_key_aliases as aliases on moved.vault_key = aliases.from_key
    where moved.vault_key not in (select known.customer_key from known)
)

select moved.customer_key, moved.vault_key
from moved
where moved.vault_key in (select known.customer_key from known)
"""
_FORMER = """
create or replace temp table former_keys as
with recursive former(customer_key, former_key) as (
    select to_key, from_key from published.main.customer_key_aliases
    union
    select former.customer_key, aliases.from_key
    from former
    inner join published.main.customer_key_aliases as aliases on former.former_key = aliases.to_key
)

select customer_key, former_key from former where customer_key <> former_key
union
-- Customers of a past date who are one person by now stand and fall together.
select one.customer_key, other.customer_key
from vault_keys as one
inner join vault_keys as other on one.vault_key = other.vault_key and one.customer_key <> other.customer_key
where one.vault_key in (select keys.vault_key from vault_keys as keys group by keys.vault_key having count(*) > 1)
"""


@dataclass(frozen=True)
class ConsentState:
    """Whether the shop has told of consent at all, and whether lately enough."""

    newest: date | None
    """Business date of the newest export of consent up to the date of publishing; None where there is none."""
    is_stale: bool
    """Whether it is too old to say who still agrees."""


@dataclass(frozen=True)
class Directory:
    """The vault as it is now, beside the marts that are published, in one connection."""

    connection: duckdb.DuckDBPyConnection
    as_of: date
    recent_refund_days: int
    consent: ConsentState

    def contacts(self) -> Relation:
        """`customer_key, phone, email, open_uid` of every customer who has any of them."""
        return self.connection.sql(
            "select keys.customer_key, max_by(contacts.phone, contacts.customer_key) as phone,"
            " max_by(contacts.email, contacts.customer_key) as email,"
            " max_by(contacts.open_uid, contacts.customer_key) as open_uid"
            f" from vault_keys as keys inner join {_WORKSHOP}.vault.int_customer_contacts as contacts"
            " on keys.vault_key = contacts.customer_key group by keys.customer_key"
        )

    def consents(self, kind: PurposeKind) -> Relation:
        """`customer_key, channel` of every consent that holds for a purpose; of merged people all must agree."""
        return self.connection.sql(
            "select keys.customer_key, consents.channel"
            f" from vault_keys as keys inner join {_WORKSHOP}.vault.int_customer_consents as consents"
            " on keys.vault_key = consents.customer_key"
            f" where consents.purpose = {literal(kind)} group by all having bool_and(consents.is_granted)"
        )

    def suppressed(self, kind: PurposeKind) -> Relation:
        """`customer_key, cause` of everybody to whom nothing is sent for a purpose, each once, with the first cause.

        Whoever refused every channel that they ever spoke of has opted out. A recent refund keeps advertising away,
        not what concerns the order. An exclusion list suppresses nobody: it keeps people out.
        """
        if kind == "exclusion":
            return self.connection.sql("select null::varchar as customer_key, null::varchar as cause where false")
        causes = [
            "select keys.customer_key, suppressions.cause"
            f" from vault_keys as keys inner join {_WORKSHOP}.vault.int_customer_suppressions as suppressions"
            " on keys.vault_key = suppressions.customer_key",
            "select keys.customer_key, 'opted_out'"
            f" from vault_keys as keys inner join {_WORKSHOP}.vault.int_customer_consents as consents"
            f" on keys.vault_key = consents.customer_key where consents.purpose = {literal(kind)}"
            " group by keys.customer_key having not bool_or(consents.is_granted)",
        ]
        if kind == "marketing" and self.recent_refund_days:
            first_day = self.as_of - timedelta(days=self.recent_refund_days - 1)
            causes.append(
                "select customer_key, 'recent_refund' from published.main.fct_refunds"
                f" where customer_key is not null and refunded_date between date '{first_day}' and date '{self.as_of}'"
            )
        order = ", ".join(literal(cause) for cause in SUPPRESSION_CAUSES)
        return self.connection.sql(
            f"select customer_key, min_by(cause, list_position([{order}], cause)) as cause"
            f" from ({' union all '.join(causes)}) as causes (customer_key, cause) group by customer_key"
        )

    def former_keys(self) -> Relation:
        """`customer_key, former_key`: the keys that customers had before, by the marts' own aliases."""
        return self.connection.table("former_keys")


@contextmanager
def opened_directory(ctx: RunContext, marts: Marts) -> Iterator[Directory]:
    """The directory beside opened marts; the caller holds the shop's writer lock.

    Raises:
        GateFailed: exports of consent or suppression were accepted, or withdrawn, that the warehouse has not read.
    """
    connection = marts.connection
    files.attach(connection, ctx.paths.warehouse, _WORKSHOP)
    try:
        consent = _require_fresh(ctx, connection, marts.as_of)
        try:
            connection.execute(_PEOPLE)
            connection.execute(_FORMER)
        except duckdb.CatalogException as error:
            raise _build_again("the warehouse has no directory of contacts yet") from error
        yield Directory(connection, marts.as_of, ctx.shop.publishing.recent_refund_days, consent)
    finally:
        connection.execute("drop table if exists vault_keys")
        connection.execute("drop table if exists former_keys")
        connection.execute(f"detach {_WORKSHOP}")


def _require_fresh(ctx: RunContext, connection: duckdb.DuckDBPyConnection, as_of: date) -> ConsentState:
    accepted = [one for one in accepted_batches(ctx.paths) if one.source in VAULT_SOURCES and one.ds <= as_of]
    rows = connection.execute(
        f"select batch_id, source, ds from {_WORKSHOP}.ops.batches where list_contains(?, source)",
        [sorted(VAULT_SOURCES)],
    ).fetchall()
    read = {str(row[0]) for row in rows if row[2] <= as_of}
    pending = connection.execute(
        f"select count(*) from {_WORKSHOP}.ops.batches where is_pending and list_contains(?, source)",
        [sorted(VAULT_SOURCES)],
    ).fetchone()
    now = {one.batch_id for one in accepted}
    if now != read or (pending and pending[0]):
        newer, gone = len(now - read), len(read - now)
        raise _build_again(
            f"since the warehouse was built {newer} exports of consent or suppression were accepted, {gone} withdrawn"
            if newer or gone
            else "exports of consent or suppression are part of a build that has not ended"
        )
    newest = max((one.ds for one in accepted if one.source in CONSENT_SOURCES), default=None)
    is_stale = newest is not None and (as_of - newest).days > ctx.shop.publishing.consent_max_age_days
    return ConsentState(newest, is_stale)


def _build_again(what: str) -> GateFailed:
    return GateFailed(
        f"no audience is published: {what}",
        where="warehouse, schema vault",
        remedy="run the date again: the marts are built with them, and audiences published",
    )
