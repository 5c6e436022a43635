"""Renqun: a shop's daily exports become segments, funnels, cohorts and audience files that can be verified."""

__version__ = "0.1.0"
