"""How much memory a block of work takes, its child processes included."""

from __future__ import annotations

import threading
from types import TracebackType

_LOOK_EVERY_SECONDS = 0.25


class PeakMemory:
    """Watches this process and its children for a block; afterwards `bytes` is the most that they held at once.

    Resident memory, added up: pages that processes share count for each of them. Looked at four times a second: what
    comes and goes in between is not seen. Null where the machine does not tell.
    """

    def __init__(self) -> None:
        self.bytes: int | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        self._look()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._ended.wait(_LOOK_EVERY_SECONDS):
            self._look()

    def _look(self) -> None:
        import psutil  # type: ignore[import-untyped]

        try:
            process = psutil.Process()
            held = int(process.memory_info().rss)
            children = process.children(recursive=True)
        except (psutil.Error, OSError):
            return
        for child in children:
            try:
                held += int(child.memory_info().rss)
            except (psutil.Error, OSError):
                continue  # it has ended meanwhile
        self.bytes = max(held, self.bytes or 0)
