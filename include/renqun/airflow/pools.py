"""The one-slot pools that queue the writers of each shop."""

from __future__ import annotations

from collections.abc import Iterable

from renqun.settings import Shop


def writer_pool(shop_id: str) -> str:
    """The pool in which a shop's writers and gates queue."""
    return f"duckdb_writer__{shop_id}"


def ensure_pools(shops: Iterable[Shop]) -> list[str]:
    """Make the pools of shops that have none, in the metadata database of this process; returns their names.

    A pool that an operator has changed is left as it is.
    """
    from airflow.models.pool import Pool

    names = [writer_pool(shop.id) for shop in shops]
    present = {pool.pool for pool in Pool.get_pools()}
    for name in names:
        if name not in present:
            Pool.create_or_update_pool(
                name, slots=1, description="one writer per shop at a time", include_deferred=False
            )
    return names
