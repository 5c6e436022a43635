"""The server of docker-compose.yml at work: signed in to, fed with files, watched until its scheduler has published."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from compose_processes import SERVICES, Server, wait_for, why_not_here
from server_access import VARIABLES, api, ask, sign_in, trigger

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

import small_shop
from workbench import Workbench

WHY_NOT = why_not_here()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=WHY_NOT or "")

DAY = small_shop.DAYS[0]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    # Not below pytest's own folder, which only its owner may enter.
    root = Path(tempfile.mkdtemp(prefix="renqun-server-"))
    root.chmod(0o755)
    server = Server(root, VARIABLES)
    today = datetime.now(UTC).date() + timedelta(days=1)  # nothing is due by the clock while the tests run
    shop = f"{{id: default, expect: [orders], scheduled_since: {today}}}"
    (server.home / "shops.yml").write_text(f"shops: [{shop}]\n", encoding="utf-8")
    try:
        server.up()
        yield server
    finally:
        server.stop()
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    return sign_in(server)


@pytest.fixture(scope="module")
def published(server: Server, token: str) -> Path:
    """A day's orders, landed, and what the scheduler made of them."""
    bench = Workbench(server.home)
    small_shop.drop_day(bench, 1, events=False)
    server.own(bench.shop())
    trigger(server, token, DAY)
    pointer = server.home / "default" / "published" / "audiences" / "new_customer" / "latest.json"
    wait_for(pointer.exists, 900, lambda: f"nothing was published:\n{server.said('scheduler')}")
    return pointer


def test_every_service_is_healthy_by_its_own_check(server: Server) -> None:
    assert [service for service in ("postgres", *SERVICES) if not server.is_healthy(service)] == []


def test_nobody_is_let_in_without_the_password(server: Server, token: str) -> None:
    assert ask(f"{api(server)}/api/v2/dags")[0] == 401
    assert ask(f"{api(server)}/auth/token", {"username": "admin", "password": "admin"})[0] == 401
    status, text = ask(f"{api(server)}/api/v2/dags", Authorization=f"Bearer {token}")
    assert status == 200
    assert {dag["dag_id"] for dag in json.loads(text)["dags"]} >= {"default__build_marts", "default__publish_audiences"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"RENQUN_ADMIN_PASSWORD": "admin"}, "RENQUN_ADMIN_PASSWORD has fewer than 12 characters"),
        ({"AIRFLOW__API_AUTH__JWT_SECRET": "secret"}, "RENQUN_JWT_SECRET has fewer than 32 characters"),
        ({"AIRFLOW__CORE__FERNET_KEY": "x" * 44}, "RENQUN_FERNET_KEY is no Fernet key"),
    ],
)
def test_secrets_that_protect_nothing_stop_the_start(server: Server, changed: dict[str, str], said: str) -> None:
    done = server.init(**changed)
    assert done.returncode == 2
    assert said in done.stdout
    assert "Traceback" not in done.stdout


def test_starting_again_changes_nothing_but_what_is_new(server: Server, token: str) -> None:
    said = [server.init(AIRFLOW_CONN_CRM="http://user:secret@127.0.0.1/crm").stdout for _ in range(2)]
    assert all("administrator: is there" in text and "connections: crm" in text for text in said)
    headers = {"Authorization": f"Bearer {token}"}
    assert ask(f"{api(server)}/api/v2/connections/crm", **headers)[0] == 200
    status, text = ask(f"{api(server)}/api/v2/pools", **headers)
    assert status == 200
    assert {pool["name"]: pool["slots"] for pool in json.loads(text)["pools"]}["duckdb_writer__default"] == 1
    environment = server.environment("scheduler")
    assert not [name for name in environment if name.startswith("AIRFLOW_CONN_") or "ADMIN" in name]


def test_files_that_land_are_published_by_the_scheduler(server: Server, published: Path) -> None:
    pointer = json.loads(published.read_text(encoding="utf-8"))
    assert pointer["as_of"] == DAY
    with Workbench(server.home).marts() as marts:
        ((orders,),) = marts.execute("select count(*) from fct_orders").fetchall()
    assert orders == len({row.split(",")[0] for row in small_shop.day(1).orders})


def test_what_nginx_shows_needs_the_same_sign_in(server: Server, token: str, published: Path) -> None:
    if "nginx" not in server.running:
        pytest.skip("nginx is not installed here")
    door = f"http://127.0.0.1:{server.ports['nginx']}"
    pages = ["/models/", "/data-docs/default/index.html", "/data-docs/default/"]
    assert {page: ask(f"{door}{page}")[0] for page in pages} == dict.fromkeys(pages, 302)
    signed_in = {"Cookie": f"_token={token}"}
    assert {page: ask(f"{door}{page}", **signed_in)[0] for page in pages} == dict.fromkeys(pages, 200)
    assert "Data Docs" in ask(f"{door}{pages[1]}", **signed_in)[1]
    assert ask(f"{door}/execution/health", **signed_in)[0] == 404
    for hidden in ("airflow", "default/warehouse", "default/raw", "default/published/audiences"):
        (server.home / hidden / "marker.txt").write_text("hidden from all", encoding="utf-8")
    (server.home / "default" / "quality" / "docs" / "marker.txt").write_text("shown", encoding="utf-8")
    assert ask(f"{door}/data-docs/default/marker.txt", **signed_in) == (200, "shown")
    ways = [
        "/data-docs/default/../../warehouse/marker.txt", "/data-docs/default/%2e%2e/%2e%2e/raw/marker.txt",
        "/data-docs/default/..%2f..%2fwarehouse%2fmarker.txt", "/data-docs/airflow/../marker.txt",
        "/reports/default/../audiences/marker.txt", "/models/../marker.txt", "/models../marker.txt",
        "/airflow/marker.txt", "/default/raw/marker.txt", "/data-docs/default//../../../airflow/marker.txt",
    ]  # fmt: skip
    assert [way for way in ways if "hidden" in ask(f"{door}{way}", **signed_in)[1]] == []
    assert ask(f"{door}/api/v2/monitor/health")[0] == 200
    assert ask(f"{door}/api/v2/dags", **signed_in)[0] == 200


def test_a_killed_scheduler_goes_on(server: Server, token: str, published: Path) -> None:
    """The run that was going on is finished by the scheduler that the restart policy starts."""
    bench = Workbench(server.home)
    small_shop.drop_day(bench, 2, events=False)
    run = trigger(server, token, small_shop.DAYS[1])
    wait_for(lambda: run() == "running", 240, lambda: server.said("scheduler"))
    server.kill("scheduler")
    assert server.start_again_what_ended() == ["scheduler"]
    wait_for(lambda: run() == "success", 900, lambda: f"{run()}:\n{server.said('scheduler')}")
    assert len(bench.json("batches", "list")) == 2
