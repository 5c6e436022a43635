"""How a test talks to the server: signing in, asking for runs."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

from compose_processes import Server

PASSWORD = "a password of the tests"
VARIABLES = {
    "RENQUN_POSTGRES_PASSWORD": "p" * 32,
    "RENQUN_JWT_SECRET": "j" * 64,
    "RENQUN_SECRET_KEY": "s" * 64,
    "RENQUN_ADMIN_PASSWORD": PASSWORD,
    "RENQUN_FERNET_KEY": base64.urlsafe_b64encode(b"f" * 32).decode(),
    "RENQUN_WORKERS": "2",
}
"""What `.env` would hold."""


DAGS = tuple(f"default__{name}" for name in ("ingest_orders", "ingest_traffic", "build_marts", "publish_audiences"))


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects())


def ask(address: str, body: Any = None, **headers: str) -> tuple[int, str]:
    """Status and text of an answer; a redirect is an answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data=data, headers={"Content-Type": "application/json", **headers})
    try:
        with _OPENER.open(request, timeout=60) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")


def api(server: Server) -> str:
    """The address of the API server."""
    return f"http://127.0.0.1:{server.ports['api-server']}"


def sign_in(server: Server) -> str:
    """A token of the administrator."""
    status, text = ask(f"{api(server)}/auth/token", {"username": "admin", "password": PASSWORD})
    assert status == 201, text
    return str(json.loads(text)["access_token"])


def trigger(server: Server, token: str, day: str, dag: str = "default__ingest_orders") -> Callable[[], str]:
    """Ask for a run of an ingest; returns what says its state."""
    runs, signed_in = f"{api(server)}/api/v2/dags/{dag}/dagRuns", {"Authorization": f"Bearer {token}"}
    status, text = ask(runs, {"logical_date": None, "conf": {"date": day}}, **signed_in)
    assert status == 200, text
    run = urllib.parse.quote(json.loads(text)["dag_run_id"])
    return lambda: str(json.loads(ask(f"{runs}/{run}", **signed_in)[1])["state"])


def clear_what_failed(server: Server, token: str) -> int:
    """What an operator does on the page: clear the failed tasks of runs that failed, with what is behind them.

    Airflow itself retries input and output; a gate never, whatever ended it. Returns how many runs were cleared; a
    server that does not answer has none to clear.
    """
    signed_in = {"Authorization": f"Bearer {token}"}
    cleared = 0
    for dag in DAGS:
        try:
            status, text = ask(f"{api(server)}/api/v2/dags/{dag}/dagRuns?state=failed&limit=50", **signed_in)
        except OSError:
            return cleared
        for run in json.loads(text)["dag_runs"] if status == 200 else []:
            body = {"dry_run": False, "only_failed": True, "dag_run_id": run["dag_run_id"], "include_downstream": True}
            cleared += ask(f"{api(server)}/api/v2/dags/{dag}/clearTaskInstances", body, **signed_in)[0] == 200
    return cleared
