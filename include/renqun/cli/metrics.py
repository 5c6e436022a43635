"""`renqun metrics`: what Prometheus reads."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from renqun.settings import Home


def metrics(
    shop_id: Annotated[str | None, typer.Option("--shop", help="One shop's only.", metavar="ID")] = None,
) -> None:
    """Metrics of all shops in Prometheus' text format. RENQUN_METRICS_FILE keeps them in a file after every task."""
    from renqun.observe.metrics import exposition

    home = Home.from_environment()
    shops = home.shops() if shop_id is None else (home.shop(shop_id),)
    sys.stdout.write(exposition(home, shops, datetime.now(UTC)))
