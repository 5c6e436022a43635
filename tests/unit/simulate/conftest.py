"""Shops that several tests look at; none of them changes one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from simulated_shop import PLATFORMS, SimulatedShop, make_shop

from renqun.simulate import Dirt, small_config


@pytest.fixture(scope="session")
def dirty_shop(tmp_path_factory: pytest.TempPathFactory) -> SimulatedShop:
    """The small shop with every fault, and late files."""
    return make_shop(tmp_path_factory.mktemp("dirty"), small_config(hold_back=True))


@pytest.fixture(scope="session")
def clean_shop(tmp_path_factory: pytest.TempPathFactory) -> SimulatedShop:
    """The same shop in files without a fault."""
    return make_shop(tmp_path_factory.mktemp("clean"), replace(small_config(), dirt=Dirt.none()))


@pytest.fixture(scope="session")
def shops(dirty_shop: SimulatedShop, tmp_path_factory: pytest.TempPathFactory) -> dict[str, SimulatedShop]:
    """The same shop in every form, with every fault and late files."""
    made = {"generic": dirty_shop}
    for form in PLATFORMS:
        made[form] = make_shop(tmp_path_factory.mktemp(form), replace(small_config(hold_back=True), form=form))
    return made
