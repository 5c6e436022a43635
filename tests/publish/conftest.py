"""A shop with sessions on three days and twenty champions."""

from __future__ import annotations

import copy
import os
import shutil
from pathlib import Path

import pytest
from shop_of_marts import GOES_TO, TestShop, audience, day


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


@pytest.fixture
def delivered_shop(tmp_path: Path, delivered_template: TestShop) -> TestShop:
    """A day of champions at their destinations, and the marts of the next, when two leave and two come."""
    shutil.copytree(delivered_template.home.root, tmp_path / "home", symlinks=True)
    return TestShop.at(tmp_path / "home")


@pytest.fixture(scope="session")
def delivered_template(tmp_path_factory: pytest.TempPathFactory) -> TestShop:
    """What `delivered_shop` is a copy of."""
    shop = TestShop.at(tmp_path_factory.mktemp("delivered"))
    everybody = [f"c{number:02}" for number in range(22)]
    for one in everybody:
        shop.warehouse.contacts[one] = (f"+86138001380{one[1:]}", None)
    shop.warehouse.agree(everybody, "ads", "sms")
    shop.warehouse.set_members("champions", everybody[:20], day(0))
    shop.publish_day(day(0), [audience(destinations=GOES_TO)])
    shop.warehouse.set_members("champions", everybody[2:], day(1))
    shop.publish_marts(day(1))
    return shop


def _new_shop(root: Path) -> TestShop:
    made = TestShop.at(root)
    made.warehouse.sessions = {day(-2): 3, day(-1): 40, day(0): 5}
    made.warehouse.enter("champions", [f"c{number:02}" for number in range(20)], day(0))
    return made
