"""A simulated shop and what it left behind."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renqun.simulate import Form, SimulationConfig, SimulationSummary, simulate

END = "2026-06-30"
"""The last day of the small shop."""
PLATFORMS: tuple[Form, ...] = ("taobao", "taobao_xlsx", "shopify")
"""The forms in which platforms give their exports."""


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

    def places(self) -> list[tuple[str, Path, dict[str, Any]]]:
        """Every file: its place below landing, where it is, and what the truth says of it."""
        late = self.root / "late"
        return [
            (place, (late if entry["is_late"] else self.landing) / place, entry)
            for place, entry in self.truth["files"].items()
        ]

    def texts(self, source: str, *, late: bool = False) -> list[str]:
        """The texts in GB18030 of all files of a source, by place."""
        return [
            path.read_bytes().decode("gb18030", errors="replace")
            for _, path, entry in self.places()
            if entry["source"] == source and entry["is_late"] == late
        ]

    def plant(self, kind: str) -> dict[str, Any]:
        """The planted person of a kind."""
        return next(plant for plant in self.truth["planted"] if plant["kind"] == kind)


def make_shop(root: Path, config: SimulationConfig) -> SimulatedShop:
    """Simulate a shop below a folder."""
    summary = simulate(config, root / "landing", root / "truth.json")
    return SimulatedShop(config, root, summary, json.loads((root / "truth.json").read_text(encoding="utf-8")))
