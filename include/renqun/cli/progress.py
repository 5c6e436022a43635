"""What the terminal shows while a run works: a line a task, with its time and its counts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from renqun.cli.output import console

if TYPE_CHECKING:
    from rich.status import Status

    from renqun.airflow.embedded import TaskResult


class RunProgress:
    """Shows every task of a run as it begins and ends."""

    def __init__(self, *, quiet: bool) -> None:
        self._console = console(stderr=True)
        self._quiet = quiet
        self._status: Status | None = None
        self._heading = ""

    def begins(self, dag_id: str, task_id: str, day: date) -> None:
        """A task begins."""
        if self._quiet:
            return
        heading = f"[bold]{dag_id}[/bold] {day}"
        if heading != self._heading:
            self._heading = heading
            self._console.print(heading)
        if self._console.is_terminal:
            self._status = self._console.status(f"{task_id} …")
            self._status.start()

    def ended(self, result: TaskResult) -> None:
        """A task has ended."""
        if self._status is not None:
            self._status.stop()
            self._status = None
        if self._quiet:
            return
        marks = {"success": "[green]✓[/green]", "skipped": "[yellow]–[/yellow]", "failed": "[red]✗[/red]"}
        mark = marks.get(result.state, "·")
        self._console.print(f"  {mark} {result.task_id:<18} {result.seconds:6.1f} s  {_in_words(result.returned)}")


def _in_words(returned: Mapping[str, Any] | None) -> str:
    """The counts and names of a task's record; what is empty is left out."""
    if not isinstance(returned, Mapping):
        return ""
    parts = []
    for name, value in returned.items():
        if value in (None, [], {}, "", False) or name == "batch_ids":  # for the next task; their number says it here
            continue
        if isinstance(value, list | tuple):
            shown = ", ".join(map(str, value[:5])) + (f" and {len(value) - 5} more" if len(value) > 5 else "")
        else:
            shown = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
        parts.append(f"{name.replace('_', ' ')}: {shown}")
    return "  ".join(parts)
