"""Has dbt imported, and forks a process for every run that it is asked for: `python -m … <descriptor of a socket>`.

To import dbt takes longer than to build a small shop's layer. Whoever builds several, `renqun run` for one, starts one
server and imports it once; the runs themselves share nothing but that.

A request is a line of JSON, `{"arguments": […], "environment": {…}}`, with descriptors beside it: where the run's
output goes, and those that it shall hold open (the shop's lock). The answers are two lines: the run's process id, and
its exit code. The server ends with whoever asks; a run that is going on ends by itself, and its lock with it.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import socket
import sys
import traceback
from collections.abc import Mapping, Sequence

_MOST_DESCRIPTORS = 2


def main(descriptor: int) -> None:
    """Answer requests until the other end is closed."""
    channel = socket.socket(fileno=descriptor)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import_dbt()
    # What is imported stays as it is: collecting garbage in a fork would only copy it.
    gc.freeze()
    while request := _receive(channel):
        text, descriptors = request
        process = os.fork()
        if process == 0:
            channel.close()
            _run_and_exit(descriptors[0], **json.loads(text))
        for held in descriptors:
            os.close(held)
        _answer(channel, process)
        _, status = os.waitpid(process, 0)
        _answer(channel, os.waitstatus_to_exitcode(status))


def import_dbt() -> None:
    """Import what every run needs, and derive the schemas that every run checks its settings with."""
    import dbt.cli.main
    import dbt.task.build
    import dbt.task.retry  # noqa: F401
    from dbt.adapters.duckdb.credentials import DuckDBCredentials
    from dbt.contracts.project import Configuration, PackageConfig, Project, ProjectFlags

    for checked in (Configuration, DuckDBCredentials, PackageConfig, Project, ProjectFlags):
        checked.json_schema()


def _receive(channel: socket.socket) -> tuple[bytes, list[int]] | None:
    """The next request and its descriptors; None where nobody asks any more."""
    text, descriptors, _, _ = socket.recv_fds(channel, 65536, _MOST_DESCRIPTORS)
    while text and not text.endswith(b"\n"):
        more = channel.recv(65536)
        if not more:
            return None
        text += more
    return (text, descriptors) if text else None


def _answer(channel: socket.socket, number: int) -> None:
    # Where nobody listens any more, the next look for a request says so.
    with contextlib.suppress(OSError):
        channel.sendall(f"{number}\n".encode())


def _run_and_exit(output: int, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """The fork: its output goes where it was asked to, its environment is the request's alone."""
    code = 2
    try:
        os.dup2(output, 1)
        os.dup2(output, 2)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.environ.clear()
        os.environ.update(environment)
        from renqun.warehouse.dbt_process import main as run

        code = run(arguments)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main(int(sys.argv[1]))
    # It has nothing to put away, and the bindings of DuckDB would complain of what is frozen.
    os._exit(0)
