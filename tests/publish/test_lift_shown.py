"""`renqun audience lift` shows the rows of the published mart."""

from __future__ import annotations

import json

import pytest
from shop_of_marts import TestShop, day
from typer.testing import CliRunner

from renqun.cli.app import app
from renqun.errors import RequestError
from renqun.publish.lift import lift_of

MART = """
create table marts.agg_audience_lift as
select
    'default' as shop_id, date '2026-03-01' as as_of_date, audience_id, period, verdict,
    140 as contacted_customers, 0.6 as contacted_rate, holdout as holdout_customers,
    case when holdout > 0 then 0.4 end as holdout_rate,
    case when holdout > 0 then 0.2 end as rate_difference,
    case when holdout > 0 then 0.0789 end as rate_difference_low,
    case when holdout > 0 then 0.3123 end as rate_difference_high,
    case when holdout > 0 then 0.1736 end as detectable_rate_difference,
    case when holdout > 0 then 1234.5::decimal(18, 2) end as incremental_net_amount
from (
    values ('welcome', '2026-02', 'gain', 120), ('welcome', 'all', 'gain', 120), ('champions', 'all', 'no_holdout', 0)
) as t (audience_id, period, verdict, holdout)
"""


def test_the_lift_is_shown_by_audience_the_whole_time_first(shop: TestShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENQUN_HOME", str(shop.home.root))
    shop.publish_marts(day(-1))
    with pytest.raises(RequestError, match="have no agg_audience_lift"):
        lift_of(shop.home, "default")
    shop.warehouse.further = [MART]
    shop.publish_marts(day(0))
    run = CliRunner()
    rows = json.loads(run.invoke(app, ["audience", "lift", "--json"]).output)
    assert [(row["audience_id"], row["period"]) for row in rows] == [
        ("champions", "all"), ("welcome", "all"), ("welcome", "2026-02"),
    ]  # fmt: skip
    assert rows[1]["rate_difference_low"] == "0.0789"
    shown = run.invoke(app, ["audience", "lift", "welcome"]).output
    assert "+20.00 (+7.89 to +31.23)" in shown
    assert "1,234.50" in shown
    assert "champions" not in shown
    # The whole mart tells nothing of an audience that was never measured; one that is not defined is an error.
    assert run.invoke(app, ["audience", "lift", "interest"]).output.startswith("nothing to tell yet")
    assert isinstance(run.invoke(app, ["audience", "lift", "nobody"]).exception, RequestError)
