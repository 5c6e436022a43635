"""`python -m renqun.airflow.up`: Airflow's services for this home, in the foreground, on the loopback address only."""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from renqun.airflow.environment import airflow_environment, apply
from renqun.errors import RenqunError, RequestError, TechnicalError
from renqun.settings import Home

SERVICES = {
    "api-server": ("api-server",),
    # The web UI reads logs from this machine's disk; the log servers would listen on every address.
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
"""What runs, in the order of starting: the others ask the first."""
_READY_SECONDS = 120.0
_STOP_SECONDS = 20.0
_ANSWER_SECONDS = 60.0


def up(home: Home, *, port: int) -> None:
    """Start the services and wait until one ends or somebody stops them.

    Raises:
        RequestError: the port is taken, or `shops.yml` cannot be read.
        TechnicalError: a service ended by itself.
    """
    shops = home.shops()
    if _is_listening(port):
        raise RequestError(
            f"something listens on port {port} already", remedy="stop it, or give another port: PORT=8081 make up"
        )
    apply(airflow_environment(home, port=port))
    logs = home.airflow / "logs" / "services"
    logs.mkdir(parents=True, exist_ok=True)
    print(f"setting up Airflow in {home.airflow} …", flush=True)
    _prepare(logs)
    from renqun.airflow.pools import ensure_pools

    ensure_pools(shops)
    running: dict[str, subprocess.Popen[bytes]] = {}
    signal.signal(signal.SIGTERM, lambda *_: _interrupt())
    try:
        for service, command in SERVICES.items():
            running[service] = _start(service, command, logs)
            if service == "api-server":
                _wait_until_ready(port, running, logs)
        print(f"\nAirflow is at http://127.0.0.1:{port}\n  user:      admin\n  password:  {_password(home)}")
        print(f"  shops:     {', '.join(shop.id for shop in shops)}\n  logs:      {logs}\nCtrl-C stops it.", flush=True)
        _watch(running, logs)
    except KeyboardInterrupt:
        print("stopping …", flush=True)
    finally:
        _stop(running)


def _prepare(logs: Path) -> None:
    """Make or migrate the metadata database."""
    with (logs / "migrate.log").open("a", encoding="utf-8") as log:
        done = subprocess.run(_command("db", "migrate"), stdout=log, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise TechnicalError("Airflow's metadata database could not be made", where=str(logs / "migrate.log"))


def _start(service: str, command: tuple[str, ...], logs: Path) -> subprocess.Popen[bytes]:
    with (logs / f"{service}.log").open("ab") as log:
        # A session of its own: Ctrl-C reaches this process alone, which then stops the services in order.
        return subprocess.Popen(_command(*command), stdout=log, stderr=subprocess.STDOUT, start_new_session=True)


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "airflow", *arguments]


def _wait_until_ready(port: int, running: dict[str, subprocess.Popen[bytes]], logs: Path) -> None:
    """Wait until the API that tasks talk to has answered once: its first answer takes seconds."""
    deadline = time.monotonic() + _READY_SECONDS
    while not _answers(f"http://127.0.0.1:{port}/execution/health"):
        _check(running, logs)
        if time.monotonic() > deadline:
            raise TechnicalError("Airflow's web server did not start in time", where=str(logs / "api-server.log"))
        time.sleep(0.5)


def _watch(running: dict[str, subprocess.Popen[bytes]], logs: Path) -> None:
    while True:
        _check(running, logs)
        time.sleep(1.0)


def _check(running: dict[str, subprocess.Popen[bytes]], logs: Path) -> None:
    for service, process in running.items():
        if process.poll() is not None:
            raise TechnicalError(
                f"Airflow's {service} ended by itself (exit code {process.returncode})",
                where=str(logs / f"{service}.log"),
                remedy="its log says why; then start again",
            )


def _stop(running: dict[str, subprocess.Popen[bytes]]) -> None:
    for process in running.values():
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + _STOP_SECONDS
    for process in running.values():
        try:
            process.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _password(home: Home) -> str:
    try:
        return str(json.loads((home.airflow / "passwords.json").read_text(encoding="utf-8"))["admin"])
    except (OSError, ValueError, KeyError):
        return f"see {home.airflow / 'passwords.json'}"


def _is_listening(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(address: str) -> bool:
    """Whether a server of this machine answers, without any proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=_ANSWER_SECONDS):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _interrupt() -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Entry point of `make up`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8080")))
    try:
        up(Home.from_environment(), port=parser.parse_args().port)
    except RenqunError as error:
        print(error, file=sys.stderr)
        sys.exit(int(error.exit_code))


if __name__ == "__main__":
    main()
