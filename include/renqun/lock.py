"""One writer a shop: an operating-system lock that says who holds it."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from renqun.errors import ShopBusy

_LOOK_AGAIN_SECONDS = 0.2


@contextmanager
def exclusive(lock_file: Path, purpose: str, *, timeout_seconds: float = 0.0) -> Iterator[int]:
    """Hold `lock_file` for the block, which gets the lock's file descriptor.

    The kernel releases the lock when its holder ends, however it ends: a killed task blocks nobody. A child
    process that inherits the descriptor holds the lock too: work that it does goes on being protected when its
    parent is killed.

    Args:
        lock_file: the file to lock; made where it is absent.
        purpose: what the holder does, shown to whoever has to wait.
        timeout_seconds: how long to wait for another holder.

    Raises:
        ShopBusy: another process holds it still when the time is over.
    """
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        deadline = time.monotonic() + timeout_seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise ShopBusy(
                        f"another process is at work on this shop: {holder(lock_file)}",
                        where=str(lock_file),
                        remedy="wait until it has ended and run again; nothing was changed by this run",
                    ) from None
                time.sleep(_LOOK_AGAIN_SECONDS)
        note = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "purpose": purpose,
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(note).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def holder(lock_file: Path) -> str:
    """Who holds (or last held) the lock, in words."""
    try:
        note = json.loads(lock_file.read_text(encoding="utf-8"))
        return f"{note['purpose']} (process {note['pid']} on {note['host']}, since {note['since']})"
    except (OSError, ValueError, KeyError):
        return "an unknown process"
