"""A shop with sessions on three days and twenty champions."""

from __future__ import annotations

import copy
import os
import shutil
from pathlib import Path

import pytest
from shop_of_marts import TestShop, day


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests kill processes, not machines: nothing here depends on `fsync`."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def shop(tmp_path: Path) -> TestShop:
    """The shop, nothing published."""
    return _new_shop(tmp_path / "home")


@pytest.fixture
def published_shop(tmp_path: Path, template: TestShop) -> TestShop:
    """The shop after its first day, on which all champions were published."""
    shutil.copytree(template.home.root, tmp_path / "home", symlinks=True)
    shop = _new_shop(tmp_path / "home")
    shop.warehouse.spells = copy.deepcopy(template.warehouse.spells)
    return shop


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> TestShop:
    """What `published_shop` is a copy of."""
    shop = _new_shop(tmp_path_factory.mktemp("template"))
    shop.publish_day(day(0))
    return shop


def _new_shop(root: Path) -> TestShop:
    made = TestShop.at(root)
    made.warehouse.sessions = {day(-2): 3, day(-1): 40, day(0): 5}
    made.warehouse.enter("champions", [f"c{number:02}" for number in range(20)], day(0))
    return made
