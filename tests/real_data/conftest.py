"""Where the research data lies, and homes that were run over it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from renqun.settings import PROJECT_ROOT

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "e2e")]

_DATA = PROJECT_ROOT.parent / "shared" / "data"


def _data_file(name: str) -> Path:
    file = _DATA / name
    if not _DATA.is_dir():
        pytest.skip("the folder ../shared/data, which holds the research data, is absent")
    assert file.is_file(), f"../shared/data has no {name}"
    return file


@pytest.fixture(scope="session")
def uci_archive() -> Path:
    """The gift shop's order lines, one CSV a day."""
    return _data_file("uci_online_retail_by_day.tar.xz")


@pytest.fixture(scope="session")
def taobao_sample() -> Path:
    """The behaviour sample."""
    return _data_file("taobao_user_behavior.csv.xz")
