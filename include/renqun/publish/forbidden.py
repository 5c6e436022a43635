"""Whom no file of an audience may address, worked out anew from the vault: what the gate on written files asks with.

It shares no step with the choosing of recipients but the directory: whatever went wrong on the way from rules to files,
a cell of somebody who must be left alone is found in the file.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from renqun.publish import files
from renqun.publish.choosing import held_out_among, holdouts_of
from renqun.publish.definitions import Audience
from renqun.publish.destinations import Destination, is_contact
from renqun.publish.directory import Directory
from renqun.publish.recipients import ASKED, agreed_sql, has_files_of_people
from renqun.run import RunContext

KEYS = "customer_key"
"""In place of a destination: files that name people by key."""

_PERSONAL = ("customer_key", "phone", "email", "open_uid")
_NOBODY = ("customer_key", "phone", "email", "open_uid", "entered_on")


def write_forbidden(ctx: RunContext, directory: Directory, audience: Audience, file: Path) -> None:
    """Write `destination, cell_sha256`: every cell that would address somebody who must be left alone.

    Cells are hashed, so that the list itself reaches nobody.

    Args:
        ctx: the run.
        directory: of contacts, consent and suppression.
        audience: the definition.
        file: where the list goes.
    """
    connection = directory.connection
    connection.execute("create or replace temp table forbidden_cells (destination varchar, cell varchar)")
    if audience.purpose.kind != "exclusion":
        _make_people(ctx, directory, audience)
        connection.execute(f"insert into forbidden_cells select '{KEYS}', customer_key from judged where is_left_alone")
        for to in has_files_of_people(audience):
            _add_cells(connection, to)
        connection.execute("drop table judged")
    cells = connection.sql("select distinct destination, sha256(cell) as cell_sha256 from forbidden_cells")
    files.write_parquet(cells.order("destination, cell_sha256"), file)
    connection.execute("drop table forbidden_cells")


def _make_people(ctx: RunContext, directory: Directory, audience: Audience) -> None:
    """All customers with their contacts, what they agreed to, and whether nothing at all may be sent to them."""
    connection = directory.connection
    kind = audience.purpose.kind
    directory.contacts().create_view("all_contacts", replace=True)
    directory.consents(kind).create_view("all_consents", replace=True)
    directory.suppressed(kind).create_view("all_suppressed", replace=True)
    may = ", ".join(
        "customers.customer_key in"
        f" (select customer_key from all_consents where channel = '{channel}') as may_{channel}"
        for channel in ASKED
    )
    held_out = held_out_among("published.main.dim_customers", holdouts_of(ctx, audience))
    connection.execute(
        "create or replace temp table judged as"
        f" select customers.customer_key, phone, email, open_uid, {may},"
        " customers.customer_key in (select customer_key from all_suppressed)"
        f" or customers.customer_key in ({held_out}) as is_left_alone"
        " from published.main.dim_customers as customers"
        " left join all_contacts on customers.customer_key = all_contacts.customer_key"
    )
    connection.execute("drop view all_contacts; drop view all_consents; drop view all_suppressed")


def _add_cells(connection: duckdb.DuckDBPyConnection, to: Destination) -> None:
    """The cells by which a destination would address people whom it may not have."""
    _add(connection, to, f"is_left_alone or not ({agreed_sql(to)})", _PERSONAL)
    if is_contact(to):
        _add(connection, to, "not may_sms", ("phone",))
        _add(connection, to, "not may_email", ("email",))


def _add(connection: duckdb.DuckDBPyConnection, to: Destination, condition: str, shown: tuple[str, ...]) -> None:
    """Add the cells that are made of these contacts of the people for whom a condition holds."""
    columns = ", ".join(
        name if name in shown else f"null::{'date' if name == 'entered_on' else 'varchar'} as {name}"
        for name in _NOBODY
    )
    for _, sql in to.columns:
        if any(name in sql for name in shown):
            connection.execute(
                f"insert into forbidden_cells select '{to.id}', cell from (select {sql} as cell"
                f" from (select {columns} from judged where {condition})) where cell is not null"
            )
