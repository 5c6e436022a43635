"""Gamma-Gamma: finds the parameters that amounts were simulated with, and draws averages towards everybody's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from simulated_customers import spendings

from renqun.value import gamma_gamma
from renqun.value.gamma_gamma import Spendings

TRUE = (6.0, 4.0, 15.0)


@pytest.fixture(scope="module")
def simulated() -> Spendings:
    return spendings(TRUE, 40_000)


def test_the_parameters_of_simulated_amounts_are_found_again(simulated: Spendings) -> None:
    fit = gamma_gamma.fit(simulated)
    assert fit.is_fitted
    assert fit.parameters == pytest.approx(TRUE, rel=0.05)
    assert fit.log_likelihood == pytest.approx(gamma_gamma.log_likelihood(fit.parameters, simulated), rel=1e-12)
    # Everybody's average: p v / (q - 1) = 6 * 15 / 3 = 30.
    assert gamma_gamma.expected_average(fit.parameters, np.zeros(1), np.zeros(1))[0] == pytest.approx(30, rel=0.02)


def test_the_currency_changes_v_alone(simulated: Spendings) -> None:
    p, q, v = gamma_gamma.fit(simulated).parameters
    cents = gamma_gamma.fit(replace(simulated, m=simulated.m * 100))
    assert cents.parameters == pytest.approx((p, q, v * 100), rel=1e-6)


def test_an_average_of_many_purchases_is_believed() -> None:
    # p = 6, q = 4, v = 15: 6 * (15 + x m) / (6 x + 3); with x = 1 and m = 60: 6 * 75 / 9 = 50.
    expected = gamma_gamma.expected_average(TRUE, np.array([1.0, 10.0, 1000.0]), np.array([60.0, 60.0, 60.0]))
    assert expected == pytest.approx([50.0, 6 * 615 / 63, 6 * 60015 / 6003])
    assert list(expected) == sorted(expected)


def test_an_infinite_mean_is_no_fit() -> None:
    fit = gamma_gamma.fit(spendings((3.0, 0.7, 5.0), 20_000))
    assert fit.parameters[1] < 1
    assert (fit.is_fitted, fit.reason) == (False, "infinite_mean")


def test_the_gradient_is_the_likelihoods(simulated: Spendings) -> None:
    def value(point: np.ndarray) -> float:
        return gamma_gamma._mean_likelihood(point, simulated)[0]

    for point in ((2.0, 3.0, 30.0), (9.0, 0.5, 100.0)):
        gradient = gamma_gamma._mean_likelihood(np.array(point), simulated)[1]
        assert gradient == pytest.approx(approx_fprime(np.array(point), value, 1e-7), rel=1e-3, abs=1e-5)
