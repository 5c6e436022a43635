"""The models' documentation as dbt renders it: one static page, made anew when the project has changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from renqun.errors import TechnicalError
from renqun.settings import Home
from renqun.thresholds import DBT_PROJECT

_SUFFIXES = (".sql", ".csv", ".yml", ".md", ".py")


def ensure_models_page(home: Home, project: Path = DBT_PROJECT) -> Path:
    """The page of this project's models, `<home>/airflow/models/index.html`; made only where it is another one's.

    No warehouse is opened: it shows what the models say of themselves, and no row of anybody's data.

    Raises:
        TechnicalError: dbt could not read the project.
    """
    folder = home.airflow / "models"
    page, stamp = folder / "index.html", folder / ".project"
    wanted = _digest(project)
    if page.is_file() and stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return page
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="renqun-models-") as work:
        for command in (["parse"], ["docs", "generate", "--static", "--empty-catalog", "--no-compile"]):
            _dbt(command, project, Path(work))
        written = folder / ".index.html.tmp"
        shutil.copyfile(Path(work, "static_index.html"), written)
        written.replace(page)
    stamp.write_text(wanted, encoding="utf-8")
    return page


def _dbt(command: list[str], project: Path, work: Path) -> None:
    where = ["--project-dir", str(project), "--profiles-dir", str(project)]
    done = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", *command, *where, "--target-path", str(work), "--log-path", str(work)],
        env={**os.environ, "RENQUN_WAREHOUSE": ":memory:", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise TechnicalError(f"dbt {command[0]} failed:\n{done.stdout}", where=str(project))


def _digest(project: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(project.rglob("*")):
        if file.suffix in _SUFFIXES and "target" not in file.parts:
            digest.update(file.relative_to(project).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
