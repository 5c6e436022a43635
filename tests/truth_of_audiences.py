"""Published audiences held against what the simulator says of the persons planted for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb

Row = dict[str, Any]


def assert_audiences_match_truth(audiences: Path, marts: duckdb.DuckDBPyConnection, truth: Row) -> None:
    """Compare the newest versions with a truth file, and list every difference at once.

    Args:
        audiences: the folder of published audiences, of a shop whose history was built at once.
        marts: a connection that sees the marts.
        truth: the parsed truth file.
    """
    keys = dict(marts.execute("select unnest(customer_ids), customer_key from dim_customers").fetchall())
    versions = {folder.name: _version(folder) for folder in sorted(audiences.iterdir()) if folder.is_dir()}
    differences: list[str] = []
    compared: dict[str, set[bool]] = {}
    told_of: dict[str, set[bool]] = {}
    for plant in truth["planted"]:
        for audience, inside in plant["audiences"].items():
            key, version = keys.get(plant["customer_id"]), versions[audience]
            members, holdout = version["members"], version["holdout"]
            compared.setdefault(audience, set()).add(inside)
            if (key in members or key in holdout) != inside:
                differences.append(f"{plant['kind']} in {audience}: {not inside}, designed {inside}")
            told = version["messages"].get(key)
            wanted = None if key in holdout else plant["messages"][audience]
            if told != wanted:
                differences.append(f"{plant['kind']} in the list of {audience}: {told}, designed {wanted}")
            if version["has_list"]:
                told_of.setdefault(audience, set()).add(plant["messages"][audience] is not None)
    assert not differences, f"{len(differences)} differences from the truth:\n" + "\n".join(differences)
    assert set(compared) >= _PLAYS, f"nobody was planted for {_PLAYS - set(compared)}"
    assert {one for one, sides in compared.items() if len(sides) < 2} <= _INSIDE_ONLY
    assert {one for one, sides in told_of.items() if len(sides) < 2} == set()


_PLAYS = {
    "welcome", "interest_recall", "cart_abandoners", "unpaid_orders", "post_receipt", "repurchase_due",
    "winback_high_value", "churn_risk", "birthday", "tier_change", "item_launch", "recent_buyers",
}  # fmt: skip
_INSIDE_ONLY = {"item_launch"}
"""Who is drawn to no category is planted for the segment."""


def _version(folder: Path) -> Row:
    pointer = json.loads((folder / "latest.json").read_text(encoding="utf-8"))
    version = folder / pointer["path"]
    list_file = version / "triggers.parquet"
    messages = _rows(list_file, "customer_key, fact_key") if list_file.exists() else []
    return {
        "members": {row[0] for row in _rows(version / "members.parquet", "customer_key")},
        "holdout": {row[0] for row in _rows(version / "holdout.parquet", "customer_key")},
        "messages": dict(messages),
        "has_list": list_file.exists(),
    }


def _rows(file: Path, columns: str) -> list[Any]:
    return duckdb.execute(f"select {columns} from read_parquet(?, hive_partitioning = false)", [str(file)]).fetchall()
