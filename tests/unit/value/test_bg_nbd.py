"""BG/NBD: finds the parameters that customers were simulated with, and predicts what the model says, no more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from scipy.special import hyp2f1
from simulated_customers import histories

from renqun.value import bg_nbd
from renqun.value.bg_nbd import Histories

TRUE = (0.5, 60.0, 0.8, 3.0)
PARAMETERS = st.tuples(st.floats(0.01, 20), st.floats(0.5, 2000), st.floats(0.001, 1000), st.floats(0.001, 1000))


@st.composite
def known(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One history: repeats, day of the last, days observed."""
    t = draw(st.integers(0, 2000))
    t_x = draw(st.integers(0, t))
    x = draw(st.integers(1, t_x)) if t_x else 0
    return np.array([float(x)]), np.array([float(t_x)]), np.array([float(t)])


@pytest.fixture(scope="module")
def simulated() -> Histories:
    return histories(TRUE, 40_000, 720)


def test_the_parameters_of_simulated_customers_are_found_again(simulated: Histories) -> None:
    fit = bg_nbd.fit(simulated)
    assert fit.is_fitted
    assert fit.observations == 40_000
    # 40,000 customers tell r and alpha to about 2 %, a and b to about 10 %.
    assert fit.parameters == pytest.approx(TRUE, rel=0.1)
    assert fit.log_likelihood == pytest.approx(bg_nbd.log_likelihood(fit.parameters, simulated), rel=1e-12)
    assert fit.log_likelihood > bg_nbd.log_likelihood(TRUE, simulated)


def test_what_is_expected_is_what_simulated_customers_do() -> None:
    # Everybody is looked at after 300 of 390 days; what came in the last 90 is held against the prediction.
    random = np.random.default_rng(3)
    r, alpha, a, b = TRUE
    count = 50_000
    rate, leaving = random.gamma(r, 1 / alpha, count), random.beta(a, b, count)
    x, t_x, later, clock = np.zeros(count), np.zeros(count), np.zeros(count), np.zeros(count)
    alive = np.arange(count)
    while len(alive):
        clock[alive] += random.exponential(1 / np.maximum(rate[alive], 1e-300))
        alive = alive[clock[alive] <= 390]
        before = alive[clock[alive] <= 300]
        x[before] += 1
        t_x[before] = clock[before]
        later[alive[clock[alive] > 300]] += 1
        alive = alive[random.random(len(alive)) > leaving[alive]]
    expected = bg_nbd.expected_purchases(TRUE, 90, x, t_x, np.full(count, 300.0))
    for group in (x == 0, (x >= 1) & (x <= 3), x > 3):
        assert group.sum() > 3000
        assert expected[group].mean() == pytest.approx(later[group].mean(), rel=0.06)


def test_the_unit_of_time_changes_alpha_alone(simulated: Histories) -> None:
    days = bg_nbd.fit(simulated)
    weeks = bg_nbd.fit(replace(simulated, t_x=simulated.t_x / 7, t=simulated.t / 7))
    r, alpha, a, b = days.parameters
    assert weeks.parameters == pytest.approx((r, alpha / 7, a, b), rel=1e-6)


def test_customers_alike_count_together_as_they_do_apart() -> None:
    whole = histories(TRUE, 3000, 400)
    rounded = np.floor(np.column_stack([whole.x, whole.t_x, whole.t]))
    apart = Histories(*rounded.T, np.ones(3000))
    kinds, counts = np.unique(rounded, axis=0, return_counts=True)
    assert len(kinds) < 3000
    together = Histories(*kinds.T, counts.astype(float))
    assert bg_nbd.fit(together).parameters == pytest.approx(bg_nbd.fit(apart).parameters, rel=1e-7)


def test_the_same_customers_give_the_same_digits(simulated: Histories) -> None:
    assert bg_nbd.fit(simulated) == bg_nbd.fit(simulated)
    order = np.random.default_rng(1).permutation(simulated.count)
    shuffled = Histories(*(column[order] for column in (simulated.x, simulated.t_x, simulated.t, simulated.customers)))
    # Sums in another order differ in their last bits; nothing that is published does.
    assert bg_nbd.fit(shuffled).parameters == pytest.approx(bg_nbd.fit(simulated).parameters, rel=1e-9)


def test_customers_who_never_leave_are_at_the_end_of_the_range() -> None:
    fit = bg_nbd.fit(histories((2.0, 100.0, 0.001, 1000.0), 5000, 720))
    assert fit.is_fitted
    r, alpha, a, b = fit.parameters
    assert (r, alpha) == pytest.approx((2.0, 100.0), rel=0.1)
    assert a / (a + b) < 0.001
    # As if there were no leaving: (r + x) / (alpha + T) a day.
    x, t_x, t = np.array([5.0]), np.array([300.0]), np.array([400.0])
    assert bg_nbd.expected_purchases(fit.parameters, 90, x, t_x, t)[0] == pytest.approx(
        90 * (r + 5) / (alpha + 400), rel=0.05
    )


@pytest.mark.parametrize("parameters", [(0.24, 4.4, 0.79, 2.4), (3.0, 0.5, 2.0, 0.3), (0.1, 900.0, 1.0, 50.0)])
def test_the_gradient_is_the_likelihoods(parameters: tuple[float, ...], simulated: Histories) -> None:
    def value(point: np.ndarray) -> float:
        return bg_nbd._mean_likelihood(point, simulated)[0]

    gradient = bg_nbd._mean_likelihood(np.array(parameters), simulated)[1]
    assert gradient == pytest.approx(approx_fprime(np.array(parameters), value, 1e-7), rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("a", [0.3, 0.8, 1.7, 6.0])
@pytest.mark.parametrize("x", [0.0, 1.0, 4.0, 20.0])
def test_the_quadrature_agrees_with_the_papers_closed_form(a: float, x: float) -> None:
    # Equation 10, where its hypergeometric function is exact: a away from 1, few repeats.
    r, alpha, b = 0.5, 60.0, 3.0
    t_x, t, horizon = 300.0 * (x > 0), 400.0, 90.0
    z = horizon / (alpha + t + horizon)
    grown = ((alpha + t) / (alpha + t + horizon)) ** (r + x) * hyp2f1(r + x, b + x, a + b + x - 1, z)
    left = a / (b + x - 1) * ((alpha + t) / (alpha + t_x)) ** (r + x) if x else 0.0
    closed = (a + b + x - 1) / (a - 1) * (1 - grown) / (1 + left)
    ours = bg_nbd.expected_purchases((r, alpha, a, b), horizon, np.array([x]), np.array([t_x]), np.array([t]))
    assert ours[0] == pytest.approx(closed, rel=1e-10)


@given(PARAMETERS, known())
@settings(max_examples=200, deadline=None)
def test_a_probability_is_one(parameters: tuple[float, ...], history: tuple[np.ndarray, ...]) -> None:
    x, _, _ = history
    probability = bg_nbd.p_alive(parameters, *history)[0]
    assert 0 <= probability <= 1
    if x[0] == 0:
        assert probability == 1


@given(PARAMETERS, known(), st.floats(0.5, 400), st.floats(1.01, 3))
@settings(max_examples=200, deadline=None)
def test_more_is_expected_of_more_days(
    parameters: tuple[float, ...], history: tuple[np.ndarray, ...], horizon: float, longer: float
) -> None:
    near = bg_nbd.expected_purchases(parameters, horizon, *history)[0]
    far = bg_nbd.expected_purchases(parameters, horizon * longer, *history)[0]
    assert 0 <= near <= far
    r, alpha, _, _ = parameters
    x, _, t = history
    # Never more than of somebody who stays for certain.
    assert near <= horizon * (r + x[0]) / (alpha + t[0]) * (1 + 1e-9)
