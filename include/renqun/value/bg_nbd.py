"""BG/NBD: how often customers come, and whether they still do (Fader, Hardie, Lee 2005, Marketing Science 24/2).

While alive, a customer buys at a rate of the customer's own (gamma distributed over customers: shape r, scale 1/alpha),
and after every purchase leaves for good with a probability of the customer's own (beta distributed: a, b). What is
known of a customer are x, the repeat purchases; t_x, the time from the first purchase to the last one; and T, the
time from the first purchase to now. alpha has the unit of the times; the other parameters have none.
"""

from __future__ import annotations

from dataclasses import dataclass

from renqun.value.fitting import Array, Fit, maximise

PARAMETERS = ("r", "alpha", "a", "b")
_STARTS = ((0.25, 0.25, 1.0, 2.5), (1.0, 1.0, 0.5, 5.0), (0.5, 0.1, 0.1, 1.0))
_NODES = 64
"""Points of the quadrature: errors stay below a hundred-thousandth of the result for all parameters of a fit."""
_SMALLEST = 1e-300


@dataclass(frozen=True)
class Histories:
    """Kinds of customers: repeat purchases, time of the last one, time observed, and how many customers are alike."""

    x: Array
    t_x: Array
    t: Array
    customers: Array

    @property
    def count(self) -> int:
        """Customers of all kinds."""
        return int(self.customers.sum())


def log_likelihood(parameters: tuple[float, ...], histories: Histories) -> float:
    """The natural logarithm of the likelihood of all histories."""
    import numpy as np

    return _mean_likelihood(np.asarray(parameters), histories)[0] * histories.count


def fit(histories: Histories) -> Fit:
    """The maximum of the likelihood; in `parameters` in the order of PARAMETERS, alpha in the unit of the times.

    The caller has looked whether there are customers enough, and one who came back.
    """
    import numpy as np

    unit = float((histories.t * histories.customers).sum() / histories.count) or 1.0
    scaled = Histories(histories.x, histories.t_x / unit, histories.t / unit, histories.customers)
    found = maximise(lambda parameters: _mean_likelihood(parameters, scaled), _STARTS, histories.count)
    if found.log_likelihood is None:
        return found
    # In the scaled unit every purchase is `unit` times as dense.
    total = found.log_likelihood - float((histories.x * histories.customers).sum()) * float(np.log(unit))
    r, alpha, a, b = found.parameters
    return Fit((r, alpha * unit, a, b), total, found.observations, found.reason)


def p_alive(parameters: tuple[float, ...], x: Array, t_x: Array, t: Array) -> Array:
    """The probability that a customer with this history is still one at T; 1 where nothing was bought again."""
    import numpy as np

    return np.where(x > 0, 1 / (1 + _odds_of_having_left(parameters, x, t_x, t)), 1.0)


def expected_purchases(parameters: tuple[float, ...], horizon: float, x: Array, t_x: Array, t: Array) -> Array:
    """Purchases to expect in the `horizon` (same unit as the times) after T, given the history.

    The paper's equation 10 writes it with a hypergeometric function: 0 / 0 at a = 1, a pole at a + b + x = 1. It is
    the mean of (1 - (1 + p h)^-(r + x)) / p, h = horizon / (alpha + T), over the probabilities p of leaving that
    are still likely, beta distributed with a and b + x. Gauss's quadrature takes that mean for any parameters.
    """
    import numpy as np

    r, alpha, a, b = parameters
    if_alive = np.zeros(len(x))
    for repeats in np.unique(x):
        alike = x == repeats
        nodes, weights = _beta_nodes(a, b + repeats)
        times, place = np.unique(t[alike], return_inverse=True)
        reach = np.outer(horizon / (alpha + times), nodes)
        until_leaving = -np.expm1(-(r + repeats) * np.log1p(reach)) / nodes
        if_alive[alike] = (until_leaving * weights).sum(axis=1)[place]
    return if_alive * p_alive(parameters, x, t_x, t)


def _beta_nodes(a: float, b: float) -> tuple[Array, Array]:
    """Points and weights (they add up to 1) of the mean over a beta distribution, after Golub and Welsch 1969."""
    import numpy as np

    k = np.arange(_NODES, dtype=float)
    s = 2 * k + a + b - 2
    middle = np.empty(_NODES)
    middle[0] = (a - b) / (a + b)
    middle[1:] = ((a - 1) ** 2 - (b - 1) ** 2) / (s[1:] * (s[1:] + 2))
    beside = np.empty(_NODES - 1)
    beside[0] = 4 * a * b / ((a + b) ** 2 * (a + b + 1))
    k, s = k[2:], s[2:]
    beside[1:] = 4 * k * (k + a - 1) * (k + b - 1) * (k + a + b - 2) / (s**2 * (s + 1) * (s - 1))
    values, vectors = np.linalg.eigh(np.diag(middle) + np.diag(np.sqrt(beside), 1) + np.diag(np.sqrt(beside), -1))
    return np.maximum((values + 1) / 2, _SMALLEST), vectors[0] ** 2


def _odds_of_having_left(parameters: tuple[float, ...], x: Array, t_x: Array, t: Array) -> Array:
    import numpy as np

    r, alpha, a, b = parameters
    with np.errstate(over="ignore"):
        return a / (b + np.maximum(x, 1) - 1) * np.exp((r + x) * (np.log(alpha + t) - np.log(alpha + t_x)))


def _mean_likelihood(parameters: Array, histories: Histories) -> tuple[float, Array]:
    """Equation 6 of the paper per customer, and its gradient. What depends on x alone is computed once for each x."""
    import numpy as np
    from scipy.special import gammaln, psi

    r, alpha, a, b = parameters
    weights = histories.customers
    xs, place = np.unique(histories.x, return_inverse=True)
    of_x = np.bincount(place, weights=weights)
    x, again = histories.x, histories.x > 0
    log_t, log_t_x = np.log(alpha + histories.t), np.log(alpha + histories.t_x)
    alive = -(r + x) * log_t
    left = np.where(again, np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * log_t_x, -np.inf)
    either = np.logaddexp(alive, left)
    share_alive = np.exp(alive - either)
    share_left = 1 - share_alive

    per_x = gammaln(r + xs) - gammaln(r) + r * np.log(alpha)
    per_x += gammaln(a + b) + gammaln(b + xs) - gammaln(b) - gammaln(a + b + xs)
    value = (per_x * of_x).sum() + (either * weights).sum()
    mean_log = share_alive * log_t + share_left * log_t_x
    per_alpha = (r + x) * (share_alive / (alpha + histories.t) + share_left / (alpha + histories.t_x))
    sum_left = (share_left * weights).sum()
    per_b = share_left / (b + np.maximum(x, 1) - 1)
    total = weights.sum()
    gradient = np.array(
        [
            ((psi(r + xs) - psi(r) + np.log(alpha)) * of_x).sum() - (mean_log * weights).sum(),
            r / alpha * total - (per_alpha * weights).sum(),
            ((psi(a + b) - psi(a + b + xs)) * of_x).sum() + sum_left / a,
            ((psi(a + b) + psi(b + xs) - psi(b) - psi(a + b + xs)) * of_x).sum() - (per_b * weights).sum(),
        ]
    )
    return float(value / total), gradient / total
