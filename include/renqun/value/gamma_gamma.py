"""Gamma-Gamma: what a purchase of a customer is worth on average (Fader, Hardie 2013, "The Gamma-Gamma Model").

Amounts of a customer's purchases are gamma distributed around a mean of the customer's own (shape p), whose scale is
gamma distributed over customers (shape q, scale 1/v). Known of a customer are x, the repeat purchases, and m, their
average amount. How much is spent does not depend on how often: the model assumes it. v has the unit of amounts.
"""

from __future__ import annotations

from dataclasses import dataclass

from renqun.value.fitting import Array, Fit, maximise

PARAMETERS = ("p", "q", "v")
_STARTS = ((5.0, 4.0, 1.0), (1.0, 2.0, 1.0), (20.0, 3.0, 0.1))


@dataclass(frozen=True)
class Spendings:
    """Customers who came back: repeat purchases (at least 1), their average amount (above 0), how many are alike."""

    x: Array
    m: Array
    customers: Array

    @property
    def count(self) -> int:
        """Customers of all kinds."""
        return int(self.customers.sum())


def log_likelihood(parameters: tuple[float, ...], spendings: Spendings) -> float:
    """The natural logarithm of the likelihood of all averages."""
    import numpy as np

    return _mean_likelihood(np.asarray(parameters), spendings)[0] * spendings.count


def fit(spendings: Spendings) -> Fit:
    """The maximum of the likelihood; in `parameters` in the order of PARAMETERS, v in the unit of the amounts.

    Where q is 1 or less, the mean over customers is infinite (`infinite_mean`) and nothing can be expected.
    """
    import numpy as np

    unit = float((spendings.m * spendings.customers).sum() / spendings.count)
    scaled = Spendings(spendings.x, spendings.m / unit, spendings.customers)
    found = maximise(lambda parameters: _mean_likelihood(parameters, scaled), _STARTS, spendings.count)
    if found.log_likelihood is None:
        return found
    p, q, v = found.parameters
    total = found.log_likelihood - spendings.count * float(np.log(unit))
    reason = found.reason or ("infinite_mean" if q <= 1 else "")
    return Fit((p, q, v * unit), total, found.observations, reason)


def expected_average(parameters: tuple[float, ...], x: Array, m: Array) -> Array:
    """The average amount to expect of further purchases: between the customer's own and everybody's.

    Customers without a repeat purchase (x = 0, m = 0) have everybody's, p v / (q - 1).
    """
    p, q, v = parameters
    return p * (v + x * m) / (p * x + q - 1)


def _mean_likelihood(parameters: Array, spendings: Spendings) -> tuple[float, Array]:
    """Equation 1a of the note per customer, and its gradient. What depends on x alone is computed once for each x."""
    import numpy as np
    from scipy.special import gammaln, psi

    p, q, v = parameters
    x, m, weights = spendings.x, spendings.m, spendings.customers
    xs, place = np.unique(x, return_inverse=True)
    of_x = np.bincount(place, weights=weights)
    total = weights.sum()
    log_sum = np.log(v + m * x)
    log_total = np.log(m * x)
    share = 1 / (v + m * x)
    per_x = gammaln(p * xs + q) - gammaln(p * xs) - gammaln(q) + q * np.log(v)
    value = (per_x * of_x).sum() + ((p * x * log_total - np.log(m) - (p * x + q) * log_sum) * weights).sum()
    digamma = psi(p * xs + q)
    gradient = np.array(
        [
            (xs * (digamma - psi(p * xs)) * of_x).sum() + (x * (log_total - log_sum) * weights).sum(),
            ((digamma - psi(q) + np.log(v)) * of_x).sum() - (log_sum * weights).sum(),
            q / v * total - ((p * x + q) * share * weights).sum(),
        ]
    )
    return float(value / total), gradient / total
