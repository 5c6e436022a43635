"""Which business dates of the traffic history a build may have changed: what has to be published anew."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from renqun.lock import exclusive
from renqun.run import RunContext
from renqun.settings import Settings
from renqun.thresholds import shop_vars
from renqun.warehouse.connection import connect, has_table
from renqun.warehouse.plan import BuildPlan

_MINUTES_A_DAY = 24 * 60

# A session has the date of its first event: an event that joins it days later changes that date's sessions, and so does
# one that left it: such a session now ends up to one gap before the changed date.
_SESSION_DATES = """
select distinct sessions.session_date
from marts.fct_sessions as sessions
inner join intermediate.int_touched_dates as touched
    on touched.touched_date between sessions.session_date
    and cast(timezone($zone, timezone('UTC', sessions.ended_at + to_minutes($gap))) as date)
where
    sessions.ended_at + to_minutes($gap)
    >= (select min(touched_date) from intermediate.int_touched_dates) - interval 2 days
"""

# An event that names somebody who is another person now is another row than it was.
_DATES_OF_CHANGED_KEYS = """
with rekeyed as (
    select identifier_kind, identifier_value from vault.int_identifier_customers
    where rekeyed_on > (select coalesce(previous_as_of_date, date '0001-01-01') from ops.current_build)
)
select distinct event_date from intermediate.int_visitor_days
where
    customer_id in (select identifier_value from rekeyed where identifier_kind = 'member_id')
    or open_uid in (select identifier_value from rekeyed where identifier_kind = 'open_uid')
"""


def touched_dates(ctx: RunContext, plan: BuildPlan) -> set[date] | None:
    """Business dates whose events or sessions may differ from those published before; None where any may."""
    if plan.full_refresh or not plan.is_latest:
        return None
    timeout = Settings().lock_timeout_seconds
    gap = int(shop_vars(ctx.shop)["session_gap_minutes"])
    with (
        exclusive(ctx.paths.writer_lock, f"touched dates {plan.as_of}", timeout_seconds=timeout),
        connect(ctx.paths.warehouse, read_only=True) as connection,
    ):
        if not has_table(connection, "intermediate", "int_touched_dates"):
            return None
        of_events = _dates(connection.execute("select touched_date from intermediate.int_touched_dates").fetchall())
        of_keys = _dates(connection.execute(_DATES_OF_CHANGED_KEYS).fetchall())
        of_sessions = _dates(connection.execute(_SESSION_DATES, {"zone": ctx.shop.time_zone, "gap": gap}).fetchall())
    # What began within the gap after a changed event may have become part of an earlier session.
    reach = 1 + gap // _MINUTES_A_DAY
    after = {day + timedelta(days=more) for day in of_events for more in range(1, reach + 1)}
    return of_events | of_sessions | of_keys | after


def _dates(rows: list[tuple[Any, ...]]) -> set[date]:
    return {row[0] for row in rows}
