"""What all tests share: nothing phones home, nobody's own settings leak in, the longest tests start first."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import parsed_project

_FOREIGN = ("AIRFLOW__", "RENQUN_", "DBT_", "GX_", "OPENLINEAGE_")
for _name in [name for name in os.environ if name.startswith(_FOREIGN) or name == "AIRFLOW_HOME"]:
    del os.environ[_name]
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ.update(
    {
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "SCARF_ANALYTICS": "false",
        "DO_NOT_TRACK": "1",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "GX_ANALYTICS_ENABLED": "false",
    }
)

parsed_project.make_folder()

_LONGEST_FIRST = (
    *(
        "infra/test_server",
        "e2e/test_days",
        "e2e/test_truth",
        "dbt/test_unit_tests",
        "e2e/test_interruptions",
        "e2e/test_bad_days",
    ),
    *("e2e/test_as_of", "dbt/test_stages_reference", "e2e/test_resuming", "dbt/test_facts_reference"),
    *("dbt/test_identity", "dbt/test_marts_reference", "dbt/test_orders_by_platform", "dbt/test_marts_increments"),
    *("e2e/test_every_source", "dbt/test_segment_catalogue", "expectations/test_gates", "dbt/test_project"),
    *("dbt/test_contributing_example", "unit/ingest/test_ingest_portions", "unit/simulate/test_simulate_form"),
    *("unit/cli/test_cli_commands", "real_data/", "e2e/", "dbt/", "expectations/"),
)
"""Files, then folders, by the seconds that they take: two workers end together when no long file is left for last."""


@pytest.fixture(scope="session", autouse=True)
def _airflow_home_of_its_own() -> Iterator[None]:
    """Airflow writes its configuration and a database somewhere as soon as it is imported: never into the user's."""
    with tempfile.TemporaryDirectory(prefix="renqun-airflow-") as folder:
        os.environ["AIRFLOW_HOME"] = folder
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests by file, the longest first; the order inside a file stays."""
    tests = Path(__file__).parent

    def rank(item: pytest.Item) -> int:
        file = item.path.relative_to(tests).as_posix()
        return next((n for n, name in enumerate(_LONGEST_FIRST) if file.startswith(name)), len(_LONGEST_FIRST))

    items.sort(key=rank)
