"""`make audit`: whether a package of the lock has a known vulnerability, by the OSV database (https://osv.dev).

Standard library only: it asks about the lock and needs no environment. It sends names and versions of public packages,
and nothing else. Exit codes: 0 none known, 1 some, 3 the database cannot be reached, which is no "none".

usage: audit.py [LOCK ...]
"""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path

DATABASE = os.environ.get("OSV_ADDRESS", "https://api.osv.dev")
LOCKS = ("requirements.lock",)
_PINNED = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?==([^\s;\\]+)", re.MULTILINE)
_AT_ONCE = 500
_SECONDS = 30.0


def pinned(text: str) -> list[tuple[str, str]]:
    """Name and version of every package that a lock pins."""
    return sorted(set(_PINNED.findall(text)))


def known_vulnerabilities(packages: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Ids of advisories by `name==version`, of packages that have any.

    Raises:
        OSError: the database cannot be reached.
        ValueError: its answer is none.
    """
    found: dict[str, list[str]] = {}
    for begin in range(0, len(packages), _AT_ONCE):
        some = packages[begin : begin + _AT_ONCE]
        queries = [{"package": {"name": name, "ecosystem": "PyPI"}, "version": version} for name, version in some]
        request = urllib.request.Request(
            f"{DATABASE}/v1/querybatch",
            data=json.dumps({"queries": queries}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
            results = json.load(answer).get("results")
        if not isinstance(results, list) or len(results) != len(some):
            raise ValueError("the answer is not about the packages that were asked for")
        for (name, version), result in zip(some, results, strict=True):
            if ids := sorted(one["id"] for one in result.get("vulns") or []):
                found[f"{name}=={version}"] = ids
    return found


def main() -> int:
    """Ask, print, and say by the exit code."""
    locks = sys.argv[1:] or list(LOCKS)
    packages = sorted({one for lock in locks for one in pinned(Path(lock).read_text(encoding="utf-8"))})
    if not packages:
        print(f"{', '.join(locks)} pins no package", file=sys.stderr)
        return 2
    try:
        found = known_vulnerabilities(packages)
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        print(f"The advisory database {DATABASE} cannot be reached or understood: {error}", file=sys.stderr)
        print("Nothing is known about the packages: run this again where it can be reached.", file=sys.stderr)
        return 3
    for package, ids in found.items():
        print(f"{package}: {', '.join(ids)}")
    print(f"{len(packages)} packages asked about, {len(found)} with known vulnerabilities")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
