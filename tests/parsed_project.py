"""dbt's parsed project, shared by all tests of a session: to parse it costs more than to build a small shop.

dbt itself decides whether a parsed project is good for a run (the project's files, vars, versions); where it is not,
dbt parses anew. The first test of every kind does so, as does every test that changes the project.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

_VARIABLE = "TESTS_PARSED_PROJECT"
"""Names the folder to the workers, which are children of the process that made it."""


def make_folder() -> None:
    """Make the session's folder, unless the process that started this one has."""
    if _VARIABLE not in os.environ:
        os.environ[_VARIABLE] = folder = tempfile.mkdtemp(prefix="renqun-parsed-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)


def key(what: str) -> str:
    """A short name for one set of vars."""
    return hashlib.sha256(what.encode()).hexdigest()[:16]


def parsed_for(what: str) -> Path:
    """Where the parsed project for one set of vars is, or will be."""
    return Path(os.environ[_VARIABLE]) / f"{key(what)}.msgpack"


def lend(what: str, to: Path) -> None:
    """Put what is parsed already where dbt looks for it; nothing where there is something, or nothing to put."""
    kept = parsed_for(what)
    if kept.exists() and not to.exists():
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(kept, to)


def keep(what: str, made: Path) -> None:
    """Keep what a run has parsed, for the next."""
    kept = parsed_for(what)
    if made.exists() and not kept.exists():
        temporary = kept.with_suffix(f".{os.getpid()}")
        shutil.copyfile(made, temporary)
        temporary.replace(kept)
