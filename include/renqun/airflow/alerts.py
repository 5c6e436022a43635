"""What an operator is told when a task fails for good."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from renqun.errors import RenqunError

logger = logging.getLogger("renqun.alerts")


def tell_operator(context: Mapping[str, Any]) -> None:
    """Log the operator's message of a failed task: what happened, where, what to do."""
    task = context["ti"]
    error = context.get("exception")
    message = str(error) if isinstance(error, RenqunError) else f"{type(error).__name__}: {error}"
    logger.error("ALERT %s / %s failed (run %s)\n%s", task.dag_id, task.task_id, task.run_id, message)
