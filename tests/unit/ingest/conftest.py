"""Fixtures of the ingest tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2]))

from ingest_place import Place

from renqun.settings import Home, Shop


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A shop `default` in an empty home."""
    return Place(Home(tmp_path / "home"), Shop(id="default"))
