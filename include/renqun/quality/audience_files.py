"""What the audience and published gates look at: members, and the written files as they read back from the disk."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from renqun.publish.destinations import Destination, destination
from renqun.publish.destinations.writing import read_rows
from renqun.quality.relations import literal
from renqun.storage import sha256_of

MEMBERS = "members.parquet"
MANIFEST = "manifest.json"
        "insert into published.addressed "
        + by_key.format(is_forbidden=_is_forbidden("customer_key", "customer_key"))
        + " where part in ('members', 'contacted', 'added', 'triggers') group by file_name"
