"""The two models over a shop's customers, as the dbt models call them: columns in, columns out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from renqun.value import bg_nbd, gamma_gamma
from renqun.value.fitting import Array, Fit, not_fitted

MODELS = {"bg_nbd": bg_nbd.PARAMETERS, "gamma_gamma": gamma_gamma.PARAMETERS}
Columns = Mapping[str, Array]
"""Column name → NumPy array; all of one length."""


def value_parameters(
    customers: Columns, base_ages: tuple[int, ...], min_customers: int, min_repeaters: int
) -> dict[str, Array]:
    """Fit both models on every base, and tell the parameters and what they rest on.

    Args:
        customers: a row per base, history and amount: base_age_days, repeat_deal_days, recency_days_from_first,
            customer_age_days, repeat_amount (all of the repeat deal days together), customers. Sorted, so that the
            same customers give the same digits.
        base_ages: the bases, in days before the as-of date.
        min_customers: with fewer, nothing is fitted.
        min_repeaters: with fewer who came back, nothing is fitted.

    Returns:
        A row per base, model and parameter, whether fitted or not: times in days, amounts in the shop's currency.
        `value` and `log_likelihood` are NaN where nothing is fitted; `reason` is empty where it is.
    """
    import numpy as np

    rows: list[tuple[Any, ...]] = []
    for base_age in base_ages:
        own = {name: column[customers["base_age_days"] == base_age] for name, column in customers.items()}
        fits = {
            "bg_nbd": _fit_purchases(own, min_customers, min_repeaters),
            "gamma_gamma": _fit_amounts(own, min_repeaters),
        }
        for model, fit in fits.items():
            values = fit.parameters if fit.is_fitted else (float("nan"),) * len(MODELS[model])
            total = fit.log_likelihood if fit.is_fitted and fit.log_likelihood is not None else float("nan")
            for parameter, value in zip(MODELS[model], values, strict=True):
                rows.append((base_age, model, parameter, value, total, fit.observations, fit.reason))
    ages, models, parameters, values, totals, observations, reasons = zip(*rows, strict=True)
    return {
        "base_age_days": np.array(ages, dtype="int64"),
        "model": np.array(models, dtype=object),
        "parameter": np.array(parameters, dtype=object),
        "value": np.array(values, dtype="float64"),
        "log_likelihood": np.array(totals, dtype="float64"),
        "customers": np.array(observations, dtype="int64"),
        "reason": np.array(reasons, dtype=object),
    }


def value_expectations(histories: Columns, parameters: Columns, horizon_days: int) -> dict[str, Array]:
    """What is to be expected of every history of a base that is fitted; no row for the others.

    Args:
        histories: a row per base and history: base_age_days, repeat_deal_days, recency_days_from_first,
            customer_age_days.
        parameters: the rows of `value_parameters`.
        horizon_days: how far to look ahead.

    Returns:
        The histories with p_alive and expected_purchases within the horizon.
    """
    import numpy as np

    keys = ("base_age_days", "repeat_deal_days", "recency_days_from_first", "customer_age_days")
    parts: list[dict[str, Array]] = []
    for base_age in np.unique(histories["base_age_days"]):
        fitted = _parameters_of(parameters, int(base_age), "bg_nbd")
        if fitted is None:
            continue
        own = {key: histories[key][histories["base_age_days"] == base_age] for key in keys}
        known = [own[key].astype("float64") for key in keys[1:]]
        parts.append(
            own
            | {
                "p_alive": bg_nbd.p_alive(fitted, *known),
                "expected_purchases": bg_nbd.expected_purchases(fitted, horizon_days, *known),
            }
        )
    none: dict[str, Array] = {key: np.empty(0, dtype="int64") for key in keys}
    none |= {"p_alive": np.empty(0), "expected_purchases": np.empty(0)}
    return {name: np.concatenate([kind, *(part[name] for part in parts)]) for name, kind in none.items()}


def _parameters_of(parameters: Columns, base_age: int, model: str) -> tuple[float, ...] | None:
    """The model's parameters in its own order; None where it is not fitted."""
    own = (parameters["base_age_days"] == base_age) & (parameters["model"] == model) & (parameters["reason"] == "")
    values = dict(zip(parameters["parameter"][own], parameters["value"][own], strict=True))
    return tuple(float(values[name]) for name in MODELS[model]) if values else None


def _fit_purchases(own: Columns, min_customers: int, min_repeaters: int) -> Fit:
    import numpy as np

    known = [own[key].astype("int64") for key in ("repeat_deal_days", "recency_days_from_first", "customer_age_days")]
    customers, repeaters = int(own["customers"].sum()), int(own["customers"][known[0] > 0].sum())
    if customers < min_customers:
        return not_fitted("too_few_customers", customers)
    if repeaters < min_repeaters:
        return not_fitted("too_few_repeaters", customers)
    # Customers who differ in what they spent only are alike here; three numbers below 2^20 are one to compare by.
    _, first, place = np.unique((known[0] << 40) | (known[1] << 20) | known[2], return_index=True, return_inverse=True)
    x, t_x, t = (column[first].astype("float64") for column in known)
    return bg_nbd.fit(bg_nbd.Histories(x, t_x, t, np.bincount(place, weights=own["customers"])))


def _fit_amounts(own: Columns, min_repeaters: int) -> Fit:
    spent = own["repeat_amount"] > 0
    x = own["repeat_deal_days"][spent].astype("float64")
    spendings = gamma_gamma.Spendings(x, own["repeat_amount"][spent] / x, own["customers"][spent].astype("float64"))
    if spendings.count < min_repeaters:
        return not_fitted("too_few_repeaters", spendings.count)
    return gamma_gamma.fit(spendings)
