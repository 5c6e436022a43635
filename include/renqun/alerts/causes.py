"""From the error that ended a task to the alert: what its cause is, and which page says what to do."""

from __future__ import annotations

import errno
import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from renqun.alerts.message import Alert
from renqun.errors import GateFailed, RenqunError, RequestError, ShopBusy
from renqun.settings import GROUPS, Shop

if TYPE_CHECKING:
    from renqun.observe.lateness import Late

_CHANGES = re.compile(r"\b[0-9a-f]{8,}\b|\d+")
_SHOWN_CHECKS = 10
_OF_THE_MACHINE = {
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ENFILE,
}  # fmt: skip
"""What fails whatever is tried next, in any task: a full disk is one cause."""
RUNBOOKS = "docs/runbooks"
PAGES = {
    **{f"ingest_{group}": "ingest.md" for group in GROUPS},
    "build_marts": "build_marts.md",
    "publish_audiences": "publish_audiences.md",
    "watch_publication": "late.md",
}
"""The runbook of each DAG; another DAG's has its name."""


def stopped(shop_id: str, ds: date | None, dag: str, task: str, error: BaseException | str | None) -> Alert:
    """The alert on a task that failed for good.

    Args:
        shop_id: the shop.
        ds: the run's business date; None where the run names none.
        dag: the DAG's name, without its shop.
        task: the task.
        error: what failed it. Of errors that are not ours only the kind is told: their words may quote a cell.
    """
    facts: dict[str, str] = {}
    if isinstance(error, GateFailed) and error.gate:
        of = f" ({error.subject})" if error.subject else ""
        headline = f"gate {error.gate}{of} stopped the run"
        shown = error.checks[:_SHOWN_CHECKS]
        more = f" and {len(error.checks) - len(shown)} more" if len(error.checks) > len(shown) else ""
        facts = {"Gate": error.gate, f"{len(error.checks)} failed": ", ".join(shown) + more}
    elif isinstance(error, ShopBusy):
        headline = "the shop was busy for too long"
    elif isinstance(error, RequestError):
        headline = "the input or a setting is wrong or missing"
    elif isinstance(error, GateFailed):
        headline = "held back by a check"
    else:
        headline = f"{task} failed"
    if isinstance(error, RenqunError):
        what, remedy = error.what, error.remedy or ""
        if error.where:
            facts["See"] = error.where
    else:
        what, remedy = _kind_of(error), "the task's log tells the whole error; mend the cause and run the date again"
    return Alert(
        kind="stopped",
        shop_id=shop_id,
        ds=ds,
        cause=cause_of(error, dag, task),
        headline=headline,
        what=what,
        dag=f"{shop_id}__{dag}",
        task=task,
        facts=facts,
        remedy=remedy,
        runbook=runbook_of(error, dag),
    )


def late_alert(shop: Shop, late: Late, stopped_by: Sequence[str]) -> Alert:
    """The alert on a date that is not published by the shop's hour.

    Args:
        shop: the shop.
        late: what is late.
        stopped_by: what has been told already to have stopped this date.
    """
    known = {"Known already": "; ".join(stopped_by)} if stopped_by else {}
    return Alert(
        kind="late",
        shop_id=shop.id,
        ds=late.ds,
        cause="late",
        headline=f"not published by {late.due:%H:%M}",
        what=f"{late.ds} was to be published by {late.due:%Y-%m-%d %H:%M} ({shop.time_zone})",
        # It is mended by the task that publishes audiences.
        dag=f"{shop.id}__publish_audiences",
        task="promote_audiences",
        facts={"Lacks": ", ".join(late.lacks), **known},
        remedy=f"'renqun status --shop {shop.id}' says which stage it waits for and what to do next;"
        " readers keep what was published before",
        runbook=f"{RUNBOOKS}/late.md",
    )


def cause_of(error: BaseException | str | None, dag: str, task: str) -> str:
    """What tells one cause from another: the same wherever and however often it fails a task of a day."""
    for one in _chain(error):
        if isinstance(one, OSError) and one.errno in _OF_THE_MACHINE:
            return f"machine:{errno.errorcode[one.errno]}"
    match error:
        case GateFailed(gate=str() as gate):
            return ":".join(("gate", gate, error.subject or "", ",".join(sorted(error.checks))))
        case ShopBusy():
            return "busy"
        case RenqunError():
            return f"{type(error).__name__}:{_digest(error.what)}"
        case BaseException():
            return f"{dag}:{type(error).__name__}"
    return f"{dag}.{task}:ended"


def runbook_of(error: BaseException | str | None, dag: str) -> str:
    """The page about the failed check, else about the gate, else about the DAG."""
    if isinstance(error, GateFailed) and error.gate:
        return error.runbook or f"{RUNBOOKS}/gate-{error.gate}.md"
    return f"{RUNBOOKS}/{PAGES.get(dag, f'{dag}.md')}"


def _kind_of(error: BaseException | str | None) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}: {error.strerror}"
    if isinstance(error, BaseException):
        return type(error).__name__
    return "the task was ended from outside, or its process died"


def _chain(error: BaseException | str | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    one = error if isinstance(error, BaseException) else None
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__


def _digest(what: str) -> str:
    """A short name of a sentence: numbers in it (rows, processes, times) are no other cause."""
    return hashlib.sha256(_CHANGES.sub("#", what).encode()).hexdigest()[:12]
