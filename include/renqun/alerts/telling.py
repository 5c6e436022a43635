"""Telling an operator: each cause of a business date once, and once that it is mended. Never fails, never blocks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

from renqun.alerts import ledger, sending
from renqun.alerts.ledger import Told
from renqun.alerts.message import Alert, AlertSettings
from renqun.errors import ShopBusy
from renqun.lock import exclusive
from renqun.settings import Channel, Home, Shop, ShopPaths

logger = logging.getLogger("renqun.alerts")


def tell(home: Home, shop: Shop, alert: Alert) -> bool:
    """Tell it where it was not told yet; returns whether a channel took it now."""
    return _quietly(lambda: _tell(home, shop, alert))


def tell_mended(home: Home, shop: Shop, ds: date | None, dag: str, task: str) -> bool:
    """A task has succeeded: what it had failed of before is mended, and said so once where it was told.

    Builds and audiences of a date stand for all dates before; an export stands for its own date.
    """
    return _quietly(lambda: _tell_mended(home, shop, ds, dag, task))


def channels_of(shop: Shop, settings: AlertSettings) -> tuple[Channel, ...]:
    """The shop's channels, else those of the environment."""
    return settings.alerts if shop.alerts is None else shop.alerts


def _tell(home: Home, shop: Shop, alert: Alert) -> bool:
    settings, paths = AlertSettings(), home.paths(shop.id)
    channels = channels_of(shop, settings)
    with _alone(paths, settings.alert_timeout_seconds):
        told = ledger.read(paths)
        known = next((one for one in told if (one.ds, one.cause) == (alert.ds, alert.cause)), None)
        if known is not None and known.mended_at is not None:
            # It came back after it was mended: that is news.
            told.remove(known)
            known = None
        has_it = set(known.channels) if known else set()
        if known is None:
            logger.error("ALERT %s\n%s", alert.title, alert.as_text(settings.runbooks_url))
        took = _send([one for one in channels if one.name not in has_it], alert, settings)
        entry = known or Told(
            ds=alert.ds,
            cause=alert.cause,
            kind=alert.kind,
            headline=alert.headline,
            dag=alert.dag,
            task=alert.task,
            runbook=alert.runbook,
            first_at=_now(),
            times=0,
        )
        changed = entry.model_copy(update={"times": entry.times + 1, "channels": tuple(sorted(has_it | took))})
        _keep(paths, [*(one for one in told if one is not known), changed])
    return bool(took)


def _tell_mended(home: Home, shop: Shop, ds: date | None, dag: str, task: str) -> bool:
    paths = home.paths(shop.id)
    if not ledger.ledger_file(paths).exists():
        return False
    settings = AlertSettings()
    channels = channels_of(shop, settings)
    with _alone(paths, settings.alert_timeout_seconds):
        told, is_sent = ledger.read(paths), False
        mended = [one for one in told if _is_mended_by(one, ds, dag, task)]
        if not mended:
            return False
        stamped = {id(one): one.model_copy(update={"mended_at": _now()}) for one in mended}
        for one in mended:
            alert = Alert(
                kind="mended",
                shop_id=shop.id,
                ds=one.ds,
                cause=one.cause,
                headline=f"mended: {one.headline}",
                dag=dag,
                task=task,
                runbook="",
            )
            logger.info("MENDED %s", alert.title)
            is_sent |= bool(_send([channel for channel in channels if channel.name in one.channels], alert, settings))
        _keep(paths, [stamped.get(id(one), one) for one in told])
    return is_sent


def _is_mended_by(one: Told, ds: date | None, dag: str, task: str) -> bool:
    if one.mended_at is not None or (one.dag, one.task) != (dag, task):
        return False
    if one.ds == ds:
        return True
    of_exports = "__ingest_" in dag
    return not of_exports and ds is not None and one.ds is not None and one.ds <= ds


def _send(channels: list[Channel], alert: Alert, settings: AlertSettings) -> set[str]:
    results = sending.send_to_all(channels, alert, base=settings.runbooks_url, timeout=settings.alert_timeout_seconds)
    for name, why in results.items():
        if why is not None:
            logger.error("the alert could not be sent to %s: %s", name, why)
    return {name for name, why in results.items() if why is None}


def _keep(paths: ShopPaths, told: list[Told]) -> None:
    try:
        ledger.write(paths, told)
    except OSError as error:
        # A full disk is worth a message itself, and told twice is better than not at all.
        logger.error("what was told could not be noted: %s", error.strerror)


@contextmanager
def _alone(paths: ShopPaths, seconds: float) -> Iterator[None]:
    """Two tasks that fail of one cause at once must not both tell it. Where the lock cannot be had, it is told."""
    lock = paths.quality / ".alerts.lock"
    try:
        held = exclusive(lock, "telling an alert", timeout_seconds=3 * seconds)
        held.__enter__()
    except (ShopBusy, OSError):
        yield
        return
    try:
        yield
    finally:
        held.__exit__(None, None, None)


def _quietly(work: Callable[[], bool]) -> bool:
    """Whatever goes wrong here must not fail the task that has something to tell."""
    try:
        return work()
    except Exception as error:
        # Its words may hold what a setting says; its kind does not.
        logger.error("an alert could not be told: %s", type(error).__name__)
        return False


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
