"""Two shops in different zones with different expectations, and the DAGs that the files of `dags/` make for them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from renqun.settings import PROJECT_ROOT

SHOPS = """
shops:
  - {id: hangzhou, publish_by: "08:00"}
  - id: seattle
    time_zone: America/Los_Angeles
    currency: USD
    expect: [orders]
    export_hours: {orders: "07:30"}
    deadline: "12:00"
    publish_by: "09:00"
"""


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("home")
    (root / "shops.yml").write_text(SHOPS, encoding="utf-8")
    os.environ["RENQUN_HOME"] = str(root)
    yield root
    del os.environ["RENQUN_HOME"]


@pytest.fixture(scope="session")
def bag(home: Path) -> Any:
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(PROJECT_ROOT / "dags")


@pytest.fixture(scope="session")
def dags(bag: Any) -> dict[str, Any]:
    assert bag.dags
    return dict(bag.dags)
