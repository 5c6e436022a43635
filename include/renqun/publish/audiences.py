"""Publishing audiences, one function a task, in this order.

`select_members` → `gate_members` → `write_files` → `gate_files` → `promote`. Each reads what the one before left in the
shop's work folder, so that a cleared task goes on where it stood; `promote` publishes nothing that a gate was not
asked about.
"""

from __future__ import annotations

from renqun.publish.gating import gate_files, gate_members
from renqun.publish.promotion import promote
from renqun.publish.selection import select_members
from renqun.publish.writing import write_files

__all__ = ["gate_files", "gate_members", "promote", "select_members", "write_files"]
