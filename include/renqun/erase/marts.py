"""Published marts without a person: their rows go, in every version; figures that summed them up stay."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import duckdb

from renqun.erase.search import Words
from renqun.erase.tally import Tallies
from renqun.erase.versions import end_interrupted, rewrite
from renqun.persons.identifiers import columns_of
from renqun.publish import files, layout
from renqun.publish.manifest import FileEntry, MartsManifest, PartEntry, PartitionedMart, with_erasure
from renqun.publish.marts import write_database
from renqun.publish.parts import building
from renqun.publish.reader import open_script
from renqun.publish.retention import remove_unnamed_parts
from renqun.publish.versions import MartsVersion, published_marts
from renqun.settings import ShopPaths
from renqun.storage import sha256_of

_PLACE = "published/marts"


def erase_from_marts(paths: ShopPaths, words: Words, fingerprint: str, tallies: Tallies) -> int:
    """Take the person out of every version of the marts; the caller holds the writer lock.

    Returns:
        How many versions were changed.
    """
    root = paths.published_marts
    if not root.is_dir():
        return 0
    end_interrupted(root)
    with files.workbench() as connection:
        versions = published_marts(paths)
        parts = _erase_from_parts(connection, root, versions, words, tallies)
        changed = sum(_erase_from_version(connection, one, words, fingerprint, parts, tallies) for one in versions)
    remove_unnamed_parts(root, published_marts(paths))
    return changed


def without_person(
    connection: duckdb.DuckDBPyConnection, relation: duckdb.DuckDBPyRelation, words: Words
) -> tuple[duckdb.DuckDBPyRelation | None, int]:
    """A relation without the rows that are the person's or name them, in the same order; None where there are none."""
    condition = words.condition(connection, columns_of(relation))
    found = 0 if condition is None else files.rows_of(relation.filter(condition))
    return (relation.filter(f"not ({condition})") if found else None), found


def _erase_from_parts(
    connection: duckdb.DuckDBPyConnection, root: Path, versions: list[MartsVersion], words: Words, tallies: Tallies
) -> dict[str, tuple[PartEntry | None, int]]:
    """Write every part anew that has rows of the person.

    Returns:
        By the path of an old part: the new one (None where nothing is left of that day), and how many rows went.
    """
    named = {part.path: part for one in versions for mart in one.manifest.partitioned.values() for part in mart.parts}
    replaced: dict[str, tuple[PartEntry | None, int]] = {}
    for path, part in sorted(named.items()):
        file = root / path
        left, found = without_person(connection, files.read_parquet(connection, file), words)
        tallies.note(_PLACE, searched=1, found=found, files=bool(found))
        if left is None:
            continue
        if part.rows == found:
            replaced[path] = None, found
            continue
        with building(file.parent) as staging:
            written = staging / "part.parquet"
            files.write_parquet(left, written)
            digest = sha256_of(written)
            target = file.with_name(f"{part.date.isoformat()}-{digest[:16]}.parquet")
            written.chmod(file.stat().st_mode & 0o777)
            files.seal_file(written)
            os.replace(written, target)
        entry = PartEntry(
            path=target.relative_to(root).as_posix(), date=part.date, sha256=digest, rows=part.rows - found
        )
        replaced[path] = entry, found
    return replaced


def _erase_from_version(
    connection: duckdb.DuckDBPyConnection,
    version: MartsVersion,
    words: Words,
    fingerprint: str,
    parts: dict[str, tuple[PartEntry | None, int]],
    tallies: Tallies,
) -> bool:
    erased: Counter[str] = Counter()
    kept: dict[str, duckdb.DuckDBPyRelation] = {}
    for name in version.manifest.tables:
        relation = files.read_parquet(connection, version.folder / f"{name}.parquet")
        left, found = without_person(connection, relation, words)
        tallies.note(_PLACE, searched=1, found=found, files=bool(found))
        if left is not None:
            kept[name] = left
            erased[f"{name}.parquet"] += found
    partitioned = {}
    for name, mart in version.manifest.partitioned.items():
        partitioned[name], gone = _without_parts(mart, parts)
        erased[name] += gone
    if not +erased:
        return False

    def write(folder: Path) -> MartsManifest:
        tables = dict(version.manifest.tables)
        for name, relation in kept.items():
            files.write_parquet(relation, folder / f"{name}.parquet")
            facts = files.facts_of(connection, folder / f"{name}.parquet")
            tables[name] = FileEntry(sha256=facts.sha256, bytes=facts.bytes, rows=facts.rows, columns=facts.columns)
        manifest = version.manifest.model_copy(update={"tables": tables, "partitioned": partitioned})
        # Equal rows give no equal bytes there, and freed pages would still hold what was deleted: it is made anew.
        database = write_database(connection, manifest, folder)
        digest = {layout.MARTS_DATABASE: {"sha256": database.sha256, "bytes": database.bytes}}
        manifest = manifest.model_copy(update={"provenance": {**manifest.provenance, **digest}})
        (folder / layout.OPEN_SCRIPT).write_text(open_script(manifest), encoding="utf-8", newline="\n")
        return with_erasure(manifest, fingerprint, erased)

    changed = {layout.MARTS_DATABASE, layout.OPEN_SCRIPT, *(f"{name}.parquet" for name in kept)}
    rewrite(version.folder, changed, write)
    return True


def _without_parts(
    mart: PartitionedMart, replaced: dict[str, tuple[PartEntry | None, int]]
) -> tuple[PartitionedMart, int]:
    gone = sum(replaced[part.path][1] for part in mart.parts if part.path in replaced)
    parts = [replaced[part.path][0] if part.path in replaced else part for part in mart.parts]
    left = tuple(part for part in parts if part is not None)
    return mart.model_copy(update={"parts": left, "rows": sum(part.rows for part in left)}), gone
