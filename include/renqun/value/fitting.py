"""Maximum likelihood of a model with a few positive parameters: always the same way, always the same answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Array = Any
"""A NumPy array of floats. NumPy is imported where it is needed: start-up is the price of a small shop's day."""
Objective = Callable[[Array], tuple[float, Array]]
"""The mean log-likelihood per observation at these parameters, and its gradient."""

_RANGE = 7.0
"""Parameters are looked for from e^-7 to e^7 times their scale (about a thousandth to a thousand): beyond, only a
simpler model is left, which the end of the range is as good as."""
_SMALL_GRADIENT = 1e-7
_NO_GRADIENT = 1e-12
_HESSIANS = 5
_NEWTON_STEPS = 6
_STEP = 1e-5


@dataclass(frozen=True)
class Fit:
    """What a model's parameters are, or why there are none.

    `parameters` and `log_likelihood` (over all observations, natural logarithm) are those of the best point found;
    whoever predicts asks `is_fitted` first. `reason` is empty where the fit is good, else one of the words in
    docs/definitions/value.md.
    """

    parameters: tuple[float, ...]
    log_likelihood: float | None
    observations: int
    reason: str = ""

    @property
    def is_fitted(self) -> bool:
        """Whether the parameters may be used."""
        return not self.reason


def not_fitted(reason: str, observations: int) -> Fit:
    """A fit that was not even tried."""
    return Fit((), None, observations, reason)


def maximise(objective: Objective, starts: Sequence[Sequence[float]], observations: int) -> Fit:
    """The parameters with the greatest likelihood, each positive.

    The search runs over the parameters' logarithms, from fixed starts in a fixed order; the best end point is then
    polished by Newton's method, so that it is known far better than any published digit and a different rounding of the
    last bit on another machine changes nothing. A parameter may end at the end of its range: customers who never leave,
    or who are all alike, are such cases.

    Args:
        objective: over parameters that are about 1 in size (callers scale units away).
        starts: where to begin.
        observations: how many rows the mean is over.

    Returns:
        The fit; with the reason `no_convergence` where the likelihood has no maximum there.
    """
    import numpy as np
    from scipy.optimize import minimize

    def by_log(logs: Array) -> tuple[float, Array]:
        parameters = np.exp(logs)
        value, gradient = objective(parameters)
        return -value, -gradient * parameters

    best: tuple[float, Array, bool] | None = None
    for start in starts:
        end = minimize(
            by_log,
            np.log(np.asarray(start, dtype=float)),
            jac=True,
            method="L-BFGS-B",
            bounds=[(-_RANGE, _RANGE)] * len(start),
            options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-9},
        )
        if not np.isfinite(end.fun):
            continue
        logs, is_flat = _polish(by_log, end.x)
        value = float(by_log(logs)[0])
        if best is None or value < best[0]:
            best = (value, logs, is_flat)
        # A maximum inside of the range is taken; where the search ran to its end, it begins elsewhere, too.
        if is_flat and np.all(np.abs(logs) < _RANGE):
            break
    if best is None:
        return not_fitted("no_convergence", observations)
    value, logs, is_flat = best
    found = tuple(float(parameter) for parameter in np.exp(logs))
    return Fit(found, -value * observations, observations, "" if is_flat else "no_convergence")


def _polish(by_log: Objective, logs: Array) -> tuple[Array, bool]:
    """Newton steps until the gradient vanishes, as long as they help; whether it does in the end.

    The second derivatives cost four times what a step costs, and hardly change: steps share them.
    """
    import numpy as np

    slope, inside = _slope(by_log, logs)
    for _ in range(_HESSIANS):
        if not inside.any() or np.max(np.abs(slope)) < _NO_GRADIENT:
            break
        begins, used = np.max(np.abs(slope)), inside
        hessian = _hessian(by_log, logs)[np.ix_(used, used)]
        if not np.all(np.isfinite(hessian)) or np.linalg.eigvalsh(hessian)[0] <= 0:
            break
        for _ in range(_NEWTON_STEPS):
            step = np.zeros_like(logs)
            step[used] = np.linalg.solve(hessian, slope[used])
            moved = np.clip(logs - step, -_RANGE, _RANGE)
            new_slope, new_inside = _slope(by_log, moved)
            if not np.max(np.abs(new_slope)) < np.max(np.abs(slope)):
                break
            logs, slope, inside = moved, new_slope, new_inside
        if not np.max(np.abs(slope)) < begins:
            break
    return logs, bool(np.max(np.abs(slope)) < _SMALL_GRADIENT)


def _slope(by_log: Objective, logs: Array) -> tuple[Array, Array]:
    """The gradient, 0 for parameters that only the end of the range holds back; and which are not held back."""
    import numpy as np

    gradient = by_log(logs)[1]
    is_held = (np.abs(logs) >= _RANGE) & (gradient * np.sign(logs) <= 0)
    return np.where(is_held, 0.0, gradient), ~is_held


def _hessian(by_log: Objective, logs: Array) -> Array:
    """The second derivatives, from differences of the gradient."""
    import numpy as np

    here = by_log(logs)[1]
    hessian = np.array([(by_log(logs + step)[1] - here) / _STEP for step in np.eye(len(logs)) * _STEP])
    return (hessian + hessian.T) / 2
