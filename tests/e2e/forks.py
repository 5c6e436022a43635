"""`renqun` as a fork of a process that has imported what every run imports: a third of what a small shop's day costs.

Each command gets its arguments, an environment and a dbt server of its own, and ends as any process ends; forks have
nothing in common but the modules that were imported, of Great Expectations and dbt (Airflow reads its home as soon as
it is imported: never here). Tests of start-up and of kills start processes from nothing (`Workbench.start`).
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


def run(arguments: Sequence[str], environment: Mapping[str, str], timeout: float) -> Ended:
    """Run one command in a fork of this process's server."""
    channel = _server()
    request = json.dumps({"arguments": list(arguments), "environment": dict(environment)})
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        socket.send_fds(channel, [f"{request}\n".encode()], [stdout.fileno(), stderr.fileno()])
        channel.settimeout(timeout)
        code = channel.recv(16)
        assert code, "the server of forks has ended"
        said = []
        for file in (stdout, stderr):
            file.seek(0)
            said.append(file.read().decode(errors="replace"))
    return Ended(int(code), *said)


@cache
def _server() -> socket.socket:
    """The line to the server, which ends when this process does."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())],
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            cwd=Path(__file__).parents[2],
        )
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


def _serve(channel: socket.socket) -> None:
    """Answer requests one by one with exit codes until the other end is closed; forks return with their own."""
    import great_expectations.render.view
    import pandas

    import renqun.quality.docs
    import renqun.quality.engine
    from renqun.warehouse import dbt_server

    renqun.quality.engine.import_statistics_when_used()
    assert great_expectations
    assert pandas
    dbt_server.import_dbt()
    assert "airflow" not in sys.modules
    assert threading.active_count() == 1, "only a process of one thread may be forked"
    gc.freeze()
    while True:
        text, descriptors, _, _ = socket.recv_fds(channel, 1 << 20, 2)
        while text and not text.endswith(b"\n"):
            text += channel.recv(1 << 20)
        if not text:
            return
        process = os.fork()
        if process == 0:
            channel.close()
            _become_renqun(descriptors, **json.loads(text))
        for held in descriptors:
            os.close(held)
        _, status = os.waitpid(process, 0)
        channel.sendall(str(os.waitstatus_to_exitcode(status)).encode())


class _Fork:
    """As much of `subprocess.Popen` as the client of dbt asks of its server."""

    def __init__(self, process: int) -> None:
        self.pid = process
        self.returncode: int | None = None

    def poll(self, how: int = os.WNOHANG) -> int | None:
        if self.returncode is None:
            process, status = os.waitpid(self.pid, how)
            if process:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self) -> int | None:
        return self.poll(0)


def _become_renqun(descriptors: Sequence[int], arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run the command line in this fork, to the end of the process."""
    for number, descriptor in enumerate(descriptors, start=1):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["renqun", *arguments]
    if fault := os.environ.pop("CHAOS_FAULT", None):
        sys.path.insert(0, str(Path(__file__).parents[1] / "chaos"))
        import injected

        injected.install(fault)
    if arguments[0] == "run":
        _fork_a_server_of_dbt()
    from renqun.cli import main

    main()


def _fork_a_server_of_dbt() -> None:
    """What `renqun.warehouse.dbt_client` would start; at once, while this process has one thread and no file open."""
    from renqun.warehouse import dbt_client, dbt_server

    ours, theirs = socket.socketpair()
    process = os.fork()
    if process == 0:
        ours.close()
        try:
            dbt_server.main(theirs.detach())
        finally:
            os._exit(0)
    theirs.close()
    dbt_client._server = dbt_client._Server(_Fork(process), ours, os.getpid())  # type: ignore[arg-type]


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
