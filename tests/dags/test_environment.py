"""How Airflow is set up: on this machine only, phoning nobody, one pool a shop."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from renqun.airflow import up
from renqun.airflow.environment import airflow_environment, apply, embedded_environment
from renqun.settings import PROJECT_ROOT, Home


def test_services_listen_on_the_loopback_address_only(tmp_path: Path) -> None:
    environment = airflow_environment(Home(tmp_path), port=8123)
    assert environment["AIRFLOW__API__HOST"] == "127.0.0.1"
    addresses = [value for value in environment.values() if value.startswith("http")]
    assert addresses
    assert all(value.startswith("http://127.0.0.1:8123") for value in addresses)
    # The log servers of these two listen on every address, and the web page does not need them.
    assert "--skip-serve-logs" in up.SERVICES["scheduler"]
    assert "--skip-serve-logs" in up.SERVICES["triggerer"]


def test_nothing_phones_home_and_no_password_is_written_down(tmp_path: Path) -> None:
    for environment in (airflow_environment(Home(tmp_path)), embedded_environment(Home(tmp_path))):
        assert environment["AIRFLOW__USAGE_DATA_COLLECTION__ENABLED"] == "False"
        assert environment["DBT_SEND_ANONYMOUS_USAGE_STATS"] == "False"
        assert environment["GX_ANALYTICS_ENABLED"] == "False"
        assert not [name for name in environment if "SECRET" in name or name.endswith("PASSWORD")]


def test_everything_of_airflow_is_below_the_home(tmp_path: Path) -> None:
    environment = airflow_environment(Home(tmp_path))
    assert environment["AIRFLOW_HOME"] == str(tmp_path / "airflow")
    assert str(tmp_path) in environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    assert environment["AIRFLOW__CORE__DAGS_FOLDER"] == str(PROJECT_ROOT / "dags")
    assert embedded_environment(Home(tmp_path))["AIRFLOW_HOME"] == str(tmp_path / "airflow" / "embedded")


def test_no_more_workers_than_cores_need(tmp_path: Path) -> None:
    environment = airflow_environment(Home(tmp_path))
    assert int(environment["AIRFLOW__CORE__PARALLELISM"]) <= max(2, os.cpu_count() or 2)
    assert environment["AIRFLOW__API__WORKERS"] == "1"
    assert environment["AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES"] == "1"


def test_child_processes_cache_byte_code() -> None:
    environment = {"PYTHONDONTWRITEBYTECODE": "1"}
    apply({"A": "1"}, environment)
    assert environment == {"A": "1"}


_POOLS = """
from renqun.airflow.pools import ensure_pools
from renqun.settings import Home
from airflow.utils import db
db.initdb()
from airflow.models.pool import Pool
shops = Home.from_environment().shops()
ensure_pools(shops)
Pool.create_or_update_pool("duckdb_writer__seattle", slots=0, description="stopped", include_deferred=False)
ensure_pools(shops)
print({pool.pool: pool.slots for pool in Pool.get_pools() if pool.pool != "default_pool"})
"""


def test_each_shop_has_a_pool_of_one_slot_and_an_operators_change_stays(home: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _POOLS],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **airflow_environment(Home(tmp_path)), "RENQUN_HOME": str(home)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "{'duckdb_writer__hangzhou': 1, 'duckdb_writer__seattle': 0}"
