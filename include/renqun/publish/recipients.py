"""Whom the destinations of an audience may get: consent and reachability, person by person, and counts of the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from renqun.publish.definitions import Audience
from renqun.publish.destinations import DESTINATIONS, Destination, is_contact
from renqun.publish.destinations.writing import reachable
from renqun.publish.directory import Directory
from renqun.sql_text import identifier

Relation = duckdb.DuckDBPyRelation

CONSENT_CHANNELS: Mapping[str, tuple[str, ...]] = {
    "ads": ("ads",),
    "email": ("email",),
    "sms": ("sms",),
    "crm": ("email", "sms"),
}
"""Channels of which a person must have agreed to one, by a destination's channel. A CRM writes by e-mail and by text
message: it gets the address of those who agreed to the one, the number of those who agreed to the other."""
ASKED = ("ads", "email", "sms")


@dataclass(frozen=True)
class Reach:
    """Of one destination: how many people its files are meant for, and how many not, by cause."""

    people: int
    held_back: dict[str, int]


def has_files_of_people(audience: Audience) -> tuple[Destination, ...]:
    """The destinations of an audience that get identifiers of people, not keys."""
    return tuple(DESTINATIONS[one] for one in audience.destinations if DESTINATIONS[one].channel != "none")


def needs_consent(audience: Audience) -> bool:
    """Whether anybody has to have agreed to anything. An exclusion list keeps people out: nobody has."""
    return audience.purpose.kind != "exclusion" and bool(has_files_of_people(audience) or audience.trigger)


def consented(directory: Directory, audience: Audience, members: Relation) -> Relation:
    """Members beside their contacts and what they agreed to.

    Returns:
        `customer_key, entered_on, phone, email, open_uid, may_ads, may_email, may_sms` of every member.
    """
    contacts = directory.contacts()
    if audience.purpose.kind == "exclusion":
        flags = ", ".join(f"true as may_{channel}" for channel in ASKED)
        consents = None
    else:
        flags = ", ".join(f"coalesce(consents.may_{channel}, false) as may_{channel}" for channel in ASKED)
        said = ", ".join(f"bool_or(channel = '{channel}') as may_{channel}" for channel in ASKED)
        consents = directory.consents(audience.purpose.kind).aggregate(f"customer_key, {said}", "customer_key")
    joined = members.select("customer_key, entered_on").set_alias("members")
    joined = joined.join(contacts.set_alias("contacts"), "customer_key", how="left")
    if consents is not None:
        joined = joined.set_alias("known").join(consents.set_alias("consents"), "customer_key", how="left")
    return joined.select(f"customer_key, entered_on, phone, email, open_uid, {flags}")


def agreed_sql(to: Destination) -> str:
    """SQL over `consented`: whether somebody agreed to be reached by the destination."""
    return " or ".join(f"may_{channel}" for channel in CONSENT_CHANNELS[to.channel])


def shown_to(people: Relation, to: Destination) -> Relation:
    """People as a destination may see them: an address where they agreed to e-mail, a number where to text messages.

    Args:
        people: rows of `consented`, of people who agreed and are assigned to the destination.
        to: the destination.
    """
    if not is_contact(to):
        return people.select("customer_key, phone, email, open_uid, entered_on")
    return people.select(
        "customer_key, case when may_sms then phone end as phone, case when may_email then email end as email,"
        " open_uid, entered_on"
    )


def with_causes(people: Relation, destinations: tuple[Destination, ...]) -> Relation:
    """`consented` with one column a destination: `no_consent`, `unreachable`, or null where they can be reached."""
    causes = [
        f"case when not ({agreed_sql(to)}) then 'no_consent' when not ({reachable(to)}) then 'unreachable' end"
        f" as {_cause(to)}"
        for to in destinations
    ]
    return people.select(", ".join(["*", *causes]))


def with_decisions(people: Relation, decisions: Relation, destinations: tuple[Destination, ...]) -> Relation:
    """The same after it is decided who gets a message of their own by this audience.

    Args:
        people: what `with_causes` gave.
        decisions: `customer_key, held_back` of this audience.
        destinations: its destinations.
    """
    kept = ["* exclude (held_back)"]
    contacts = [f"coalesce({_cause(to)}, held_back) as {_cause(to)}" for to in destinations if is_contact(to)]
    if not contacts:
        return people
    joined = people.set_alias("people").join(decisions.set_alias("decisions"), "customer_key", how="left")
    return joined.select(", ".join(kept) + f" replace ({', '.join(contacts)})")


def candidates(people: Relation, destinations: tuple[Destination, ...]) -> Relation:
    """`customer_key` of everybody whom one of the destinations that write to people could write to."""
    reached = " or ".join(f"{_cause(to)} is null" for to in destinations if is_contact(to))
    return people.filter(reached or "false").select("customer_key")


def reach_of(people: Relation, to: Destination) -> Reach:
    """Count the people of a destination, and the others by cause."""
    column = _cause(to)
    rows = people.aggregate(f"{column} as cause, count(*) as people", column).fetchall()
    counted = {cause: int(number) for cause, number in rows}
    reached = counted.pop(None, 0)
    return Reach(reached, dict(sorted(counted.items())))


def recipients(people: Relation, destinations: tuple[Destination, ...]) -> Relation:
    """Everybody whom any destination gets, in the order of their keys, with no more of their contacts than is asked.

    Returns:
        `customer_key, entered_on, phone, email, open_uid, may_email, may_sms` and one flag a destination (`is_for`).
    """
    ads = " or ".join(f"{_cause(to)} is null" for to in destinations if not is_contact(to)) or "false"
    contact = " or ".join(f"{_cause(to)} is null" for to in destinations if is_contact(to)) or "false"
    flags = [f"{_cause(to)} is null as {is_for(to)}" for to in destinations]
    columns = [
        "customer_key",
        "entered_on",
        f"case when ({ads}) or (({contact}) and may_sms) then phone end as phone",
        f"case when ({ads}) or (({contact}) and may_email) then email end as email",
        "open_uid",
        "may_email",
        "may_sms",
        *flags,
    ]
    return people.filter(f"({ads}) or ({contact})").select(", ".join(columns)).order("customer_key")


def is_for(to: Destination) -> str:
    """The flag of `recipients` that says whether somebody is given to a destination."""
    return identifier(f"is_for:{to.id}")


def _cause(to: Destination) -> str:
    return identifier(f"cause:{to.id}")
