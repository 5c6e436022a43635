"""A believable shop, deterministic by seed, with planted truth. Shares no code with the pipeline."""

from renqun.simulate.config import FORMS, Dirt, Form, SimulationConfig, demo_config, small_config
from renqun.simulate.simulation import SimulationSummary, simulate

__all__ = ["FORMS", "Dirt", "Form", "SimulationConfig", "SimulationSummary", "demo_config", "simulate", "small_config"]
