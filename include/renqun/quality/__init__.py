"""Gates: suites of expectations, run where the data is, with verdicts that are kept."""

from renqun.quality.suite import Suite, load_stage, load_suite
from renqun.quality.verdict import CheckResult, GateReport, SuiteReport

__all__ = ["CheckResult", "GateReport", "Suite", "SuiteReport", "load_stage", "load_suite"]
