"""Homes for tests that drive the real DAGs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from workbench import Workbench


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    """An empty home."""
    return Workbench(tmp_path / "home")


@pytest.fixture
def another(tmp_path: Path) -> Callable[[str], Workbench]:
    """More empty homes, by name."""
    return lambda name: Workbench(tmp_path / name)
