"""How Airflow is set up: below the home, on this machine only, phoning nobody.

`eval "$(python -m renqun.airflow.environment)"` lets a shell use the `airflow` command on a home that `make up` serves.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import MutableMapping

from renqun.settings import PROJECT_ROOT, Home

_QUIET = {
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "AIRFLOW__TRACES__OTEL_ON": "False",
    "AIRFLOW__METRICS__STATSD_ON": "False",
    "AIRFLOW__METRICS__OTEL_ON": "False",
    "SCARF_ANALYTICS": "false",
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "False",
    "GX_ANALYTICS_ENABLED": "False",
}
"""Everything that would otherwise open a connection beyond this machine."""


def airflow_environment(home: Home, *, port: int = 8080) -> dict[str, str]:
    """The environment variables of Airflow's services on this machine.

    The web UI listens on the loopback address only; its password is made at the first start and kept in the home.
    """
    return {
        **_QUIET,
        "RENQUN_HOME": str(home.root),
        "AIRFLOW_HOME": str(home.airflow),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT_ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": str(_workers()),
        "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": str(_workers()),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home.airflow / "passwords.json"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        # On a busy small machine the API answers late; a task must not fail for that, least of all a gate.
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60.0",
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "120.0",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "60",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home.airflow / 'airflow.db'}",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home.airflow / "logs"),
    }


def embedded_environment(home: Home) -> dict[str, str]:
    """The environment variables of a DAG run inside this process: a folder of its own, no services, no database."""
    folder = home.airflow / "embedded"
    return {
        **_QUIET,
        "RENQUN_HOME": str(home.root),
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT_ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder / 'unused.db'}",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(folder / "logs"),
        "_AIRFLOW__AS_LIBRARY": "1",
    }


def apply(variables: dict[str, str], environment: MutableMapping[str, str] = os.environ) -> None:
    """Set variables; byte code is cached again where a machine had switched that off, for start-up is our price."""
    environment.update(variables)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def _workers() -> int:
    return max(2, os.cpu_count() or 2)


if __name__ == "__main__":
    for name, value in airflow_environment(Home.from_environment()).items():
        print(f"export {name}={shlex.quote(value)}")
