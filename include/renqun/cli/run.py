"""`renqun run`: from landing to audiences, through the DAGs, in this process."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer

from renqun.cli import failures
from renqun.cli.dates import OptionalDateOption, optional_day
from renqun.cli.output import JsonOption, ShopOption, print_json
from renqun.errors import RequestError
from renqun.settings import DEFAULT_SHOP, Home, Shop

_FAR_AHEAD = timedelta(days=31)


def run(
    day: OptionalDateOption = None,
    first: Annotated[str | None, typer.Option("--from", help="The first day of a range.", metavar="D1")] = None,
    last: Annotated[str | None, typer.Option("--to", help="The last day of a range.", metavar="D2")] = None,
    each_day: Annotated[
        bool, typer.Option("--each-day", help="Build and publish every day of the range, not only the last.")
    ] = False,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="Build this past date on purpose; `latest` stays.", metavar="D")
    ] = None,
    shop_id: ShopOption = DEFAULT_SHOP,
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Build all tables anew.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Take in a day's exports (or a range), build the marts, publish the audiences.

    Give --date, or --from and --to. Running a day again changes nothing that was published.
    """
    home = Home.from_environment()
    shop = home.shop(shop_id)
    days = _days(optional_day(day), optional_day(first), optional_day(last))
    past = optional_day(as_of)
    _refuse_a_mistyped_date(home, shop, days[-1])
    if each_day and past is not None:
        raise RequestError("--each-day and --as-of exclude each other", remedy="leave one of them out")

    from renqun.airflow import environment
    from renqun.lock import exclusive

    environment.apply(environment.embedded_environment(home))
    started = datetime.now(UTC)
    log = home.airflow / "embedded" / "logs" / shop.id / f"{started:%Y%m%dT%H%M%S}-{days[-1]}.log"
    failures.log_file = log
    with exclusive(home.paths(shop.id).run_lock, f"renqun run {days[-1]}"):
        from renqun.airflow.run_log import logged_to
        from renqun.cli.progress import RunProgress

        progress = RunProgress(quiet=as_json)
        with logged_to(log, shop=shop.id):
            from renqun.airflow.embedded import Watcher
            from renqun.airflow.pipeline import Request, check_landing, run_request

            request = Request(days, each_day=each_day, as_of=past, full_refresh=full_refresh)
            check_landing(home, shop, request)
            outcome = run_request(home, shop, request, Watcher(progress.begins, progress.ended))
    seconds = round((datetime.now(UTC) - started).total_seconds(), 1)
    if as_json:
        print_json({"shop": shop.id, "seconds": seconds, "log": str(log), "passes": outcome.passes})
        return
    done = outcome.passes[-1]
    if done["marts"] is None:
        print("nothing is new: the marts stand as they were published")
    else:
        print(f"marts as of {done['marts']['as_of']}: version {done['marts']['version']}")
    print(f"done in {seconds} s; log: {log}")


def _refuse_a_mistyped_date(home: Home, shop: Shop, last: date) -> None:
    """A build moves a shop's newest date, and nothing moves it back: a year mistyped must not be built."""
    from zoneinfo import ZoneInfo

    from renqun.publish.versions import latest_marts

    latest = latest_marts(home.paths(shop.id))
    today = datetime.now(ZoneInfo(shop.time_zone)).date()
    if latest is not None and last > max(today, latest.as_of + _FAR_AHEAD):
        raise RequestError(
            f"{last} lies in the future, {(last - latest.as_of).days} days after the newest marts",
            remedy="correct the date, and the name of the folder in landing/",
        )


def _days(day: date | None, first: date | None, last: date | None) -> tuple[date, ...]:
    from renqun.airflow.conf import days_between

    if day is not None and first is None and last is None:
        return (day,)
    if day is None and first is not None and last is not None:
        return days_between(first, last)
    raise RequestError("say which days to run", remedy="give --date D, or --from D1 and --to D2")
