"""Customers who come, stay away and spend exactly as the models suppose, from a fixed seed."""

from __future__ import annotations

import numpy as np

from renqun.value.bg_nbd import Histories
from renqun.value.gamma_gamma import Spendings


def histories(parameters: tuple[float, ...], customers: int, days: int, seed: int = 7) -> Histories:
    """BG/NBD: a rate and a probability of leaving for each; first purchases are spread over `days`."""
    r, alpha, a, b = parameters
    random = np.random.default_rng(seed)
    rate, leaving = random.gamma(r, 1 / alpha, customers), random.beta(a, b, customers)
    t = random.uniform(0, days, customers)
    x, t_x, clock = np.zeros(customers), np.zeros(customers), np.zeros(customers)
    alive = np.arange(customers)
    while len(alive):
        clock[alive] += random.exponential(1 / np.maximum(rate[alive], 1e-300))
        alive = alive[clock[alive] <= t[alive]]
        x[alive] += 1
        t_x[alive] = clock[alive]
        alive = alive[random.random(len(alive)) > leaving[alive]]
    return Histories(x, t_x, t, np.ones(customers))


def spendings(parameters: tuple[float, ...], customers: int, seed: int = 7) -> Spendings:
    """Gamma-Gamma: averages of one to nine purchases of customers with a scale of their own."""
    p, q, v = parameters
    random = np.random.default_rng(seed)
    x = random.integers(1, 10, customers).astype(float)
    scale = random.gamma(q, 1 / v, customers)
    return Spendings(x, random.gamma(p * x, 1 / scale) / x, np.ones(customers))
