"""What audiences brought, as published marts have it: the rows of `agg_audience_lift` for people who ask."""

from __future__ import annotations

from datetime import date
from typing import Any

from renqun.errors import RequestError
from renqun.publish.reader import open_marts
from renqun.settings import Home

_MART = "agg_audience_lift"


def lift_of(
    home: Home, shop_id: str, audience_id: str | None = None, *, as_of: date | None = None
) -> list[dict[str, Any]]:
    """The rows of the mart by audience, over all time first, then month by month.

    Args:
        home: the home.
        shop_id: the shop.
        audience_id: of one audience only.
        as_of: the date of the marts; None = `latest`.

    Raises:
        RequestError: no marts of that date, or of a release that did not measure yet.
    """
    connection = open_marts(home, shop_id, as_of)
    try:
        known = connection.execute(
            "select count(*) from information_schema.tables where table_schema = 'marts' and table_name = ?", [_MART]
        ).fetchone()
        if not known or not known[0]:
            raise RequestError(
                f"the published marts have no {_MART}",
                where="marts.duckdb",
                remedy="build the marts again with this release",
            )
        cursor = connection.execute(
            f"select * from marts.{_MART} where ? is null or audience_id = ?"
            " order by audience_id, period <> 'all', period",
            [audience_id, audience_id],
        )
        columns = [column[0] for column in cursor.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    finally:
        connection.close()
