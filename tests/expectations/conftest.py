"""Every test that injects a fault says for which check, so that `make mutation` can count."""

from __future__ import annotations

import pytest
from bench_of_checks import INJECTED


@pytest.fixture(autouse=True)
def _says_which_fault_it_injects(request: pytest.FixtureRequest) -> None:
    """Tests that take a `check_id` inject the fault of that check; others call `record_property` themselves."""
    callspec = getattr(request.node, "callspec", None)
    if callspec is not None and "check_id" in callspec.params:
        request.node.user_properties.append((INJECTED, callspec.params["check_id"]))
