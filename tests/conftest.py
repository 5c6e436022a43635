"""What all tests share: nothing phones home, nobody's own settings leak in, the longest tests start first."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import pytest

import parsed_project

_FOREIGN = ("AIRFLOW__", "RENQUN_", "DBT_", "GX_")
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

_LONGEST_FIRST = ("real_data", "e2e", "dbt", "expectations")
"""Folders by how long their files take: two workers end together when the long files are not left for last."""


@pytest.fixture(scope="session", autouse=True)
def _airflow_home_of_its_own() -> Iterator[None]:
    """Airflow writes its configuration and a database somewhere as soon as it is imported: never into the user's."""
    with tempfile.TemporaryDirectory(prefix="renqun-airflow-") as folder:
        os.environ["AIRFLOW_HOME"] = folder
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests by folder, the longest first; the order inside a file stays."""

    def rank(item: pytest.Item) -> int:
        parts = item.path.parts
        return next((n for n, folder in enumerate(_LONGEST_FIRST) if folder in parts), len(_LONGEST_FIRST))

    items.sort(key=rank)
