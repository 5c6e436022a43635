"""The commands and where each is implemented."""

from __future__ import annotations

import typer

from renqun.cli import (
    audience,
    erase,
    explain,
    metrics,
    raw,
    reading,
    results,
    run,
    shops,
    simulation,
    status,
    upkeep,
)

app = typer.Typer(
    name="renqun",
    help="Segments, funnels, cohorts and audience files from a shop's daily exports.\n\n"
    "Where everything lives: RENQUN_HOME (default ./home). "
    "Exit codes: 0 done, 1 held back by a gate, 2 the request or input is wrong, 3 a technical failure.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.command("init")(shops.init)
app.add_typer(shops.app, name="shop")
app.command("run")(run.run)
app.command("close-day")(raw.close_day)
app.command("status")(status.status)
app.command("metrics")(metrics.metrics)
app.add_typer(raw.sources, name="sources")
app.add_typer(raw.batches, name="batches")
audience.app.add_typer(results.app)
app.add_typer(audience.app, name="audience")
app.command("verify")(reading.verify)
app.add_typer(explain.app, name="explain")
app.command("sql")(reading.sql)
app.add_typer(erase.app, name="erase")
app.command("maintenance")(upkeep.maintenance)
app.command("roles")(upkeep.roles)
app.command("restatement")(upkeep.restatement)
app.command("backup")(upkeep.backup)
app.command("restore")(upkeep.restore)
app.command("simulate")(simulation.simulate)
