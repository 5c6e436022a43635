"""The services of docker-compose.yml as processes of this machine: their own commands, environment and health checks.

Only what a container engine would do is done here: interpolation of variables, names of hosts, places of volumes,
the order of starting, starting again what ended. Everything listens on the loopback address.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from renqun.settings import PROJECT_ROOT

NEEDED = ("initdb", "postgres", "pg_isready")
"""PostgreSQL's programs, from the system's packages."""
NOBODY = 65534
SERVICES = ("api-server", "scheduler", "dag-processor", "triggerer")
REFERENCE = re.compile(r"\$\{(?P<name>\w+)(?P<operator>:?[-?])?(?P<rest>[^}]*)\}")


def free_port() -> int:
    """A port of the loopback address that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def interpolated(value: Any, variables: dict[str, str]) -> Any:
    """A value of the compose file with its variables filled in, as compose does it."""
    if isinstance(value, dict):
        return {key: interpolated(one, variables) for key, one in value.items()}
    if isinstance(value, list):
        return [interpolated(one, variables) for one in value]
    if not isinstance(value, str):
        return value

    def fill(found: re.Match[str]) -> str:
        given = variables.get(found["name"], "")
        if not given and (found["operator"] or "").endswith("?"):
            raise AssertionError(found["rest"])
        return given or (found["rest"] if (found["operator"] or "").endswith("-") else "")

    return REFERENCE.sub(fill, value).replace("$$", "$")


def somebody_else() -> list[str]:
    """The beginning of a command that runs as nobody special, as the image does; PostgreSQL refuses anything else."""
    if os.geteuid() != 0:
        return []
    # Root's own interpreter may lie where nobody else may look: reading is allowed everywhere, writing is not.
    reading = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *reading, "--"]


def why_not_here() -> str | None:
    """Why no server can run on this machine; None where one can."""
    missing = [program for program in (*NEEDED, "setpriv") if shutil.which(program) is None]
    if missing:
        return f"not installed here: {', '.join(missing)}"
    tried = subprocess.run(
        [*somebody_else(), sys.executable, "-c", "pass"], capture_output=True, text=True, check=False
    )
    return f"nobody may run Python here: {tried.stderr.strip()}" if tried.returncode else None


class Server:
    """A server in a folder of its own."""

    def __init__(self, root: Path, variables: dict[str, str]) -> None:
        text = (PROJECT_ROOT / "docker-compose.yml").read_text(encoding="utf-8")
        self.services: dict[str, Any] = interpolated(yaml.safe_load(text)["services"], variables)
        self.root, self.home = root, root / "home"
        self.ports = {name: free_port() for name in ("postgres", "api-server", "nginx")}
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        for folder in (root, self.home, root / "logs", root / "metadata", root / "tmp"):
            folder.mkdir(parents=True, exist_ok=True)
            self.own(folder)

    def own(self, folder: Path) -> None:
        """Give a folder to whom the services run as, as a volume of the engine belongs to the image's user."""
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)

    # --- what a container engine does -------------------------------------------------------------------

    def here(self, text: str) -> str:
        """A text of the compose file with the names of hosts and places of volumes that hold on this machine."""
        for name, place in (
            ("/srv/renqun", str(self.home)),
            ("/opt/renqun", str(PROJECT_ROOT)),
            ("@postgres:5432", f"@127.0.0.1:{self.ports['postgres']}"),
            ("api-server:8080", f"127.0.0.1:{self.ports['api-server']}"),
            ("127.0.0.1:8080/healthz", f"127.0.0.1:{self.ports['nginx']}/healthz"),
            ("/etc/renqun/nginx.conf", str(self.root / "nginx.conf")),
            ("/tmp/nginx", str(self.root / "tmp" / "nginx")),
            ("/dev/stderr", str(self.root / "logs" / "nginx-error.log")),
        ):
            text = text.replace(name, place)
        return text

    def environment(self, service: str) -> dict[str, str]:
        """What the service has in its environment: the compose file's, and what makes it listen on loopback only."""
        said = {name: self.here(str(value)) for name, value in self.services[service].get("environment", {}).items()}
        bin_folders = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin:/usr/sbin"
        of_this_machine = {
            "PATH": f"{bin_folders}:{os.environ['PATH']}",
            "HOME": str(self.root / "tmp"),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "PYTHONNOUSERSITE": "1",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.ports["api-server"]),
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.ports["postgres"]),
        }
        return {**of_this_machine, **said}

    def command(self, service: str) -> list[str]:
        """The service's command."""
        definition = self.services[service]
        return [self.here(word) for word in [*definition.get("entrypoint", []), *definition["command"]]]

    def start(self, service: str, command: Sequence[str] | None = None) -> None:
        """Start a service; its words go into `logs/<service>.log`."""
        with (self.root / "logs" / f"{service}.log").open("ab") as log:
            self.running[service] = subprocess.Popen(
                [*somebody_else(), *(command or self.command(service))],
                env=self.environment(service),
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=self.root,
                start_new_session=True,
            )

    def is_healthy(self, service: str) -> bool:
        """What the service's own health check says now."""
        kind, *test = self.services[service]["healthcheck"]["test"]
        assert kind == "CMD"
        done = subprocess.run(
            [self.here(word) for word in test],
            env=self.environment(service),
            capture_output=True,
            timeout=60,
            check=False,
        )
        return done.returncode == 0

    def wait_until_healthy(self, services: Iterable[str], seconds: float) -> float:
        """Wait for all of these, starting again what ended, as the restart policy says; returns the seconds."""
        began = time.monotonic()
        for service in services:
            while not self.is_healthy(service):
                if time.monotonic() - began > seconds:
                    raise AssertionError(f"{service} is not healthy after {seconds:.0f} s:\n{self.said(service)}")
                self.start_again_what_ended()
                time.sleep(1.0)
        return time.monotonic() - began

    def start_again_what_ended(self) -> list[str]:
        """As `restart: unless-stopped` does; returns which."""
        ended = [name for name, process in self.running.items() if process.poll() is not None]
        for service in ended:
            assert self.services[service]["restart"] == "unless-stopped"
            self.start(service, self._postgres() if service == "postgres" else None)
        return ended

    def kill(self, service: str, how: signal.Signals = signal.SIGKILL) -> None:
        """End the service with all of its children."""
        os.killpg(self.running[service].pid, how)
        self.running[service].wait()

    def stop(self) -> None:
        """End everything, PostgreSQL last."""
        for name in sorted(self.running, key=lambda name: name == "postgres"):
            process = self.running[name]
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT if name == "postgres" else signal.SIGTERM)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    self.kill(name)
        self.running.clear()

    def said(self, service: str, lines: int = 40) -> str:
        """The end of a service's log."""
        text = (self.root / "logs" / f"{service}.log").read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    # --- the services -----------------------------------------------------------------------------------

    def up(self) -> None:
        """`docker compose up`: each service after those that it depends on."""
        self.start_postgres()
        done = self.init()
        assert done.returncode == 0, done.stdout
        for service in SERVICES:
            self.start(service)
        self.wait_until_healthy(SERVICES, 240)
        if shutil.which("nginx", path=self.environment("nginx")["PATH"]):
            self.start_nginx()

    def start_postgres(self) -> None:
        """A new cluster, as the image makes one at its first start, and then the server."""
        environment = self.environment("postgres")
        data, password = self.root / "metadata" / "data", self.root / "metadata" / "password"
        password.write_text(environment["POSTGRES_PASSWORD"], encoding="utf-8")
        options = ["--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8", "--locale=C", "--no-sync"]
        subprocess.run(
            [*somebody_else(), "initdb", "-D", str(data), "-U", environment["POSTGRES_USER"], *options],
            check=True, capture_output=True, env=environment, cwd=self.root,
        )  # fmt: skip
        self.start("postgres", self._postgres())
        self.wait_until_healthy(["postgres"], 60)
        subprocess.run(
            ["createdb", "-U", environment["POSTGRES_USER"], environment["POSTGRES_DB"]],
            check=True, capture_output=True, env={**environment, "PGPASSWORD": environment["POSTGRES_PASSWORD"]},
        )  # fmt: skip

    def _postgres(self) -> list[str]:
        folder = str(self.root / "metadata")
        port = str(self.ports["postgres"])
        return ["postgres", "-D", f"{folder}/data", "-h", "127.0.0.1", "-p", port, "-k", folder, "-F"]

    def init(self, **changed: str) -> subprocess.CompletedProcess[str]:
        """Run the one-shot service."""
        return subprocess.run(
            [*somebody_else(), *self.command("init")],
            env={**self.environment("init"), **changed},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=self.root, timeout=300, check=False,
        )  # fmt: skip

    def start_nginx(self) -> None:
        """With the very configuration of the compose file's mount."""
        ((source, _, _),) = [mount.split(":") for mount in self.services["nginx"]["volumes"] if mount.startswith("./")]
        text = self.here((PROJECT_ROOT / source).read_text(encoding="utf-8"))
        listen = f"listen 127.0.0.1:{self.ports['nginx']};"
        (self.root / "nginx.conf").write_text(text.replace("listen 8080;", listen), encoding="utf-8")
        self.start("nginx")
        self.wait_until_healthy(["nginx"], 30)


def wait_for(what: Callable[[], Any], seconds: float, complaint: Callable[[], str]) -> Any:
    """The first true answer; raises with the complaint when the time is over."""
    deadline = time.monotonic() + seconds
    while not (answer := what()):
        if time.monotonic() > deadline:
            raise AssertionError(complaint())
        time.sleep(1.0)
    return answer
