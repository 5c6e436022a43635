"""A simulated shop and what it left behind."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renqun.simulate import SimulationConfig, SimulationSummary, simulate


@dataclass(frozen=True)
class SimulatedShop:
    """What a simulation left behind."""

    config: SimulationConfig
    root: Path
    summary: SimulationSummary
    truth: dict[str, Any]

    @property
    def landing(self) -> Path:
        """Its landing tree."""
        return self.root / "landing"

    def plant(self, kind: str) -> dict[str, Any]:
        """The planted person of a kind."""
        return next(plant for plant in self.truth["planted"] if plant["kind"] == kind)


def make_shop(root: Path, config: SimulationConfig) -> SimulatedShop:
    """Simulate a shop below a folder."""
    summary = simulate(config, root / "landing", root / "truth.json")
    return SimulatedShop(config, root, summary, json.loads((root / "truth.json").read_text(encoding="utf-8")))
