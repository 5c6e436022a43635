"""Starts runs of dbt in processes of their own, through a server that has it imported already."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from renqun.errors import TechnicalError


@dataclass(frozen=True)
class _Server:
    """A process of `dbt_server`, the line to it, and who started it: a fork of ours needs one of its own."""

    process: subprocess.Popen[bytes]
    channel: socket.socket
    started_by: int

    def number(self) -> int | None:
        """Its next answer; None where it has ended instead."""
        answer = b""
        while not answer.endswith(b"\n"):
            byte = self.channel.recv(1)
            if not byte:
                return None
            answer += byte
        return int(answer)


_server: _Server | None = None


@dataclass(frozen=True)
class DbtRun:
    """A run of dbt that is going on."""

    server: _Server
    process: int
    output: int

    def lines(self) -> Iterator[str]:
        """What it says, line by line, until it has ended."""
        with os.fdopen(self.output, encoding="utf-8", errors="replace") as output:
            for line in output:
                yield line.rstrip()

    def wait(self) -> int:
        """Its exit code (dbt's: 0 all well, 1 a node failed, 2 dbt itself did); waits for its end."""
        code = self.server.number()
        return 2 if code is None else code

    def kill(self) -> None:
        """End it now."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)
        self.wait()


def start_dbt(arguments: Sequence[str], environment: Mapping[str, str], lock: int | None = None) -> DbtRun:
    """Start dbt with these arguments and nothing but this environment.

    Args:
        arguments: dbt's, as on its command line.
        environment: the whole environment of the run.
        lock: a descriptor that the run holds open until its end.

    Raises:
        TechnicalError: the process that starts dbt has ended at once.
    """
    server = _running_server(environment)
    reader, writer = os.pipe()
    request = json.dumps({"arguments": list(arguments), "environment": dict(environment)})
    try:
        with contextlib.suppress(BrokenPipeError):
            socket.send_fds(server.channel, [f"{request}\n".encode()], [writer] if lock is None else [writer, lock])
    finally:
        os.close(writer)
    process = server.number()
    if process is None:
        os.close(reader)
        _stop()
        raise TechnicalError(
            f"dbt could not be started: its process ended with exit code {server.process.wait()}",
            remedy="what it said stands above; 'make setup' mends the environment",
        )
    return DbtRun(server, process, reader)


def _running_server(environment: Mapping[str, str]) -> _Server:
    global _server  # noqa: PLW0603 – one a process, however many layers it builds
    if _server is None or _server.started_by != os.getpid() or _server.process.poll() is not None:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "renqun.warehouse.dbt_server", str(theirs.fileno())],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )
        _server = _Server(process, ours, os.getpid())
    return _server


@atexit.register
def _stop() -> None:
    """The server ends when nobody can ask it any more."""
    global _server  # noqa: PLW0603
    if _server is not None and _server.started_by == os.getpid():
        _server.channel.close()
        _server.process.wait()
    _server = None
