"""A shop with sessions on three days and twenty champions."""

from __future__ import annotations

from pathlib import Path

import pytest
from shop_of_marts import TestShop, day


@pytest.fixture()
def shop(tmp_path: Path) -> TestShop:
    """The shop, nothing published."""
    made = TestShop.at(tmp_path / "home")
    made.warehouse.sessions = {day(-2): 3, day(-1): 40, day(0): 5}
    made.warehouse.enter("champions", [f"c{number:02}" for number in range(20)], day(0))
    return made
