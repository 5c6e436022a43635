"""The audit of packages: asks about all of them, and never takes silence for good news."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from compose_processes import free_port

from renqun.settings import PROJECT_ROOT

SCRIPT = PROJECT_ROOT / "include" / "setup" / "audit.py"


class Database(HTTPServer):
    """As much of the advisory database as the audit asks of it; `flask` is vulnerable there."""

    asked: list[dict[str, Any]]
    answer: bytes | None = None


class _Answers(BaseHTTPRequestHandler):
    server: Database

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        self.server.asked = asked
        results = [{"vulns": [{"id": "X-1"}]} if one["package"]["name"] == "flask" else {} for one in asked]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.server.answer or json.dumps({"results": results}).encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def database() -> Iterator[Database]:
    server = Database(("127.0.0.1", 0), _Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def audit(port: int, *locks: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *locks],
        cwd=PROJECT_ROOT,
        env={"OSV_ADDRESS": f"http://127.0.0.1:{port}", "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_package_of_the_lock_is_asked_about(database: Database) -> None:
    done = audit(database.server_port)
    lock = (PROJECT_ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert len(database.asked) == sum("==" in line and not line.startswith((" ", "#")) for line in lock.splitlines())
    assert {"package": {"name": "duckdb", "ecosystem": "PyPI"}, "version": "2.0.0"} in database.asked
    assert done.returncode == 1
    assert "flask==3.1.3: X-1" in done.stdout


def test_no_known_vulnerability_is_0(database: Database, tmp_path: Any) -> None:
    lock = tmp_path / "one.lock"
    lock.write_text("duckdb==2.0.0 \\\n    --hash=sha256:00\n", encoding="utf-8")
    assert audit(database.server_port, str(lock)).returncode == 0


@pytest.mark.parametrize("answer", [b"not json", b"{}", b'{"results": []}'])
def test_an_answer_that_is_none_is_no_good_news(database: Database, answer: bytes) -> None:
    database.answer = answer
    assert audit(database.server_port).returncode == 3


def test_a_database_that_cannot_be_reached_is_no_good_news() -> None:
    done = audit(free_port())
    assert done.returncode == 3
    assert "cannot be reached" in done.stderr
    assert "Nothing is known" in done.stderr
