"""The models over a shop's customers: bases apart, too few are not fitted, and the SQL's arithmetic is the model's."""

from __future__ import annotations

import numpy as np
import pytest
from simulated_customers import histories

from renqun.value import bg_nbd, gamma_gamma
from renqun.value.shop import MODELS, value_expectations, value_parameters

Columns = dict[str, np.ndarray]


def customers(count: int, base_age: int = 0, seed: int = 5) -> Columns:
    """Rows as the dbt model reads them; everybody spends 20 to 60 a day."""
    whole = histories((0.8, 60.0, 0.8, 3.0), count, 400, seed)
    x = whole.x.astype("int64")
    last = np.where(x > 0, np.maximum(np.floor(whole.t_x), 1), 0).astype("int64")
    return {
        "base_age_days": np.full(count, base_age),
        "repeat_deal_days": x,
        "recency_days_from_first": last,
        "customer_age_days": np.maximum(np.floor(whole.t), last).astype("int64"),
        "repeat_amount": x * np.random.default_rng(seed).uniform(20, 60, count).round(2),
        "customers": np.ones(count, dtype="int64"),
    }


def both(*parts: Columns) -> Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def rows(parameters: Columns) -> dict[tuple[int, str, str], tuple[float, int, str]]:
    columns = ("base_age_days", "model", "parameter", "value", "customers", "reason")
    return {row[:3]: row[3:] for row in zip(*(parameters[name].tolist() for name in columns), strict=True)}


def test_every_base_is_fitted_by_itself() -> None:
    now, then = customers(3000), customers(2000, base_age=90, seed=6)
    together = rows(value_parameters(both(now, then), (0, 90), 100, 20))
    assert set(together) == {(age, model, name) for age in (0, 90) for model, names in MODELS.items() for name in names}
    alone = rows(value_parameters(then, (90,), 100, 20))
    assert {key: own for key, own in together.items() if key[0] == 90} == alone
    assert together[0, "bg_nbd", "r"][1:] == (3000, "")
    assert together[0, "gamma_gamma", "p"][1] == int((now["repeat_deal_days"] > 0).sum())


@pytest.mark.parametrize(
    ("count", "min_customers", "min_repeaters", "reasons"),
    [
        (0, 100, 20, {"too_few_customers", "too_few_repeaters"}),
        (99, 100, 1, {"too_few_customers", ""}),
        (500, 100, 501, {"too_few_repeaters"}),
        (100, 100, 1, {""}),
    ],
)
def test_too_few_are_not_fitted(count: int, min_customers: int, min_repeaters: int, reasons: set[str]) -> None:
    parameters = value_parameters(customers(count), (0,), min_customers, min_repeaters)
    assert set(parameters["reason"]) == reasons
    fitted = parameters["reason"] == ""
    assert np.isfinite(parameters["value"][fitted]).all()
    assert np.isnan(parameters["value"][~fitted]).all()
    assert np.isnan(parameters["log_likelihood"][~fitted]).all()


def test_nobody_came_back_is_no_fit() -> None:
    alone = customers(500)
    once = alone["repeat_deal_days"] == 0
    parameters = value_parameters({name: column[once] for name, column in alone.items()}, (0,), 100, 20)
    assert set(parameters["reason"]) == {"too_few_repeaters"}


def test_expectations_are_of_fitted_bases_only() -> None:
    now, then = customers(3000), customers(50, base_age=90)
    parameters = value_parameters(both(now, then), (0, 90), 100, 20)
    expected = value_expectations(both(now, then), parameters, 90)
    assert set(expected["base_age_days"]) == {0}
    assert len(expected["p_alive"]) == 3000
    found = rows(parameters)
    fitted = tuple(found[0, "bg_nbd", name][0] for name in MODELS["bg_nbd"])
    known = [now[key].astype(float) for key in list(now)[1:4]]
    assert expected["expected_purchases"] == pytest.approx(bg_nbd.expected_purchases(fitted, 90, *known))


def test_a_shop_without_customers_has_columns_and_no_rows() -> None:
    empty = customers(0)
    expected = value_expectations(empty, value_parameters(empty, (0, 90), 100, 20), 90)
    assert {name: (len(column), column.dtype.kind) for name, column in expected.items()} == {
        "base_age_days": (0, "i"),
        "repeat_deal_days": (0, "i"),
        "recency_days_from_first": (0, "i"),
        "customer_age_days": (0, "i"),
        "p_alive": (0, "f"),
        "expected_purchases": (0, "f"),
    }


def test_the_example_of_the_page_is_right() -> None:
    # docs/definitions/value.md: customer a, and b without a repeat.
    parameters = (0.5, 60.0, 0.8, 3.0)
    x, t_x, t = np.array([2.0, 0.0]), np.array([60.0, 0.0]), np.array([89.0, 89.0])
    purchases = bg_nbd.expected_purchases(parameters, 90, x, t_x, t)
    average = gamma_gamma.expected_average((6.0, 4.0, 15.0), x, np.array([50.0, 0.0]))
    assert bg_nbd.p_alive(parameters, x, t_x, t).round(3).tolist() == [0.744, 1.0]
    assert purchases.round(2).tolist() == [0.99, 0.28]
    assert average.tolist() == [46.0, 30.0]
    assert (purchases * average)[0].round(2) == 45.56
