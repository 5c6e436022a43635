"""Setting up by one command: what the stamp promises, what an interruption leaves, what the locks hold."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from renqun.settings import PROJECT_ROOT

LOCKS = ("requirements.lock", "requirements-bench.lock")
REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)(\[[\w,-]+\])?==(?P<version>[^\s;]+)")

FAKE_PYTHON = """#!/bin/bash
# Stands in for Python: makes an environment whose pip only writes down what it is asked for.
me=$0
log=$(cat "$(dirname "$me")/log_path")
case "$*" in
  *version_info*) [ ! -e "$(dirname "$log")/too_old" ] ;;
  --version) echo "Python 3.9.1" ;;
  *"import venv, ensurepip"*) exit 0 ;;
  *"-m venv"*)
    target=${@: -1}
    echo "venv $*" >> "$log"
    case "$*" in *--clear*) rm -rf "$target" ;; esac
    mkdir -p "$target/bin"; cp "$me" "$target/bin/python"; cp "$(dirname "$me")/log_path" "$target/bin/" ;;
  *"-m pip --version"*) exit 0 ;;
  *"-m pip install"*)
    echo "pip $*" >> "$log"
    case "$*" in *--require-hashes*) [ ! -e "$(dirname "$log")/pip_fails" ] ;; esac ;;
  *) exit 0 ;;
esac
"""


class Checkout:
    """A copy of what setting up needs, with a stand-in for Python."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log = root / "log"
        root.mkdir(parents=True)
        (root / "include" / "setup").mkdir(parents=True)
        shutil.copy(PROJECT_ROOT / "include" / "setup" / "environment.sh", root / "include" / "setup")
        (root / "requirements.lock").write_text("a==1 \\\n    --hash=sha256:00\n", encoding="utf-8")
        (root / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
        self.python = root / "fake" / "python3"
        self.python.parent.mkdir()
        self.python.write_text(FAKE_PYTHON, encoding="utf-8")
        self.python.chmod(0o755)
        (root / "fake" / "log_path").write_text(str(self.log), encoding="utf-8")

    def set_up(self) -> subprocess.CompletedProcess[str]:
        self.log.write_text("", encoding="utf-8")
        return subprocess.run(
            ["bash", "include/setup/environment.sh", "requirements.lock"],
            cwd=self.root,
            env={"PATH": "/usr/bin:/bin", "PYTHON": str(self.python)},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def calls(self) -> str:
        return self.log.read_text(encoding="utf-8")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "checkout")


def test_first_call_installs_by_hash_and_the_second_does_nothing(checkout: Checkout) -> None:
    first = checkout.set_up()
    assert first.returncode == 0, first.stderr
    assert "--no-deps --require-hashes --only-binary :all: -r requirements.lock" in checkout.calls
    assert "--no-deps --no-build-isolation -e ." in checkout.calls
    assert "1 packages" in first.stdout
    second = checkout.set_up()
    assert (second.returncode, second.stdout, checkout.calls) == (0, "", "")


def test_a_changed_lock_is_installed_into_the_same_environment(checkout: Checkout) -> None:
    checkout.set_up()
    (checkout.root / "requirements.lock").write_text("a==2 \\\n    --hash=sha256:00\n", encoding="utf-8")
    assert checkout.set_up().returncode == 0
    assert "pip" in checkout.calls
    assert "venv" not in checkout.calls


def test_an_interrupted_set_up_is_made_from_scratch(checkout: Checkout) -> None:
    (checkout.root / "pip_fails").touch()
    failed = checkout.set_up()
    assert failed.returncode == 3
    assert "could not be installed" in failed.stderr
    assert not list((checkout.root / ".venv").glob(".ready-*"))
    (checkout.root / "pip_fails").unlink()
    assert checkout.set_up().returncode == 0
    assert "--clear" in checkout.calls
    assert checkout.set_up().stdout == ""


def test_a_moved_checkout_makes_its_environment_anew(checkout: Checkout, tmp_path: Path) -> None:
    checkout.set_up()
    moved = tmp_path / "moved"
    checkout.root.rename(moved)
    checkout.root, checkout.log, checkout.python = moved, moved / "log", moved / "fake" / "python3"
    for place in (moved / "fake", moved / ".venv" / "bin"):
        (place / "log_path").write_text(str(checkout.log), encoding="utf-8")
    assert checkout.set_up().returncode == 0
    assert "--clear" in checkout.calls


def test_an_old_python_is_refused_with_what_to_do(checkout: Checkout) -> None:
    (checkout.root / "too_old").touch()
    refused = checkout.set_up()
    assert refused.returncode == 2
    assert "3.11 or newer" in refused.stderr
    assert "make PYTHON=" in refused.stderr
    assert not (checkout.root / ".venv").exists()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_hash_and_no_index_is_named(lock: str) -> None:
    text = (PROJECT_ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "index-url" not in text
    assert "find-links" not in text
    blocks = re.split(r"\n(?=[A-Za-z0-9])", "\n" + text)[1:]
    assert len(blocks) > 100
    for block in blocks:
        assert REQUIREMENT.match(block), block.splitlines()[0]
        assert "--hash=sha256:" in block, block.splitlines()[0]


def test_the_bench_lock_differs_from_the_lock_by_its_peers_only() -> None:
    pins = []
    for lock in LOCKS:
        lines = (PROJECT_ROOT / lock).read_text(encoding="utf-8").splitlines()
        pins.append({found["name"]: found["version"] for line in lines if (found := REQUIREMENT.match(line))})
    usual, bench = pins
    assert usual.items() <= bench.items()
    assert {"chdb", "polars"} <= set(bench) - set(usual)


def test_the_peers_lock_holds_the_peers_alone_each_with_its_hashes() -> None:
    wanted = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    blocks = (PROJECT_ROOT / "requirements-peers.lock").read_text(encoding="utf-8").split("\n\n")[0]
    assert "://" not in blocks
    pins = re.findall(r"^(\S+==\S+) \\\n    --hash=sha256:", blocks, re.MULTILINE)
    assert sorted(pins) == sorted(wanted["project"]["optional-dependencies"]["peers"])


def test_the_lock_of_the_object_server_lies_over_the_lock() -> None:
    text = (PROJECT_ROOT / "requirements-objects.lock").read_text(encoding="utf-8")
    assert "://" not in text
    found, locked = _pins("requirements-objects.lock"), _pins("requirements.lock")
    assert {"moto", "flask", "boto3"} <= found.keys()
    # What both name is one version: laid over an environment, it changes nothing of it.
    shared = found.keys() & locked.keys()
    assert len(shared) > 5
    assert {name: found[name] for name in shared} == {name: locked[name] for name in shared}
    assert text.count("--hash=sha256:") >= len(found)


def _pins(lock: str) -> dict[str, str]:
    lines = (PROJECT_ROOT / lock).read_text(encoding="utf-8").splitlines()
    return {pin["name"]: pin["version"] for pin in map(REQUIREMENT.match, lines) if pin}


def test_every_target_is_explained_and_sets_up_what_it_needs() -> None:
    makefile = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    targets = dict(re.findall(r"^([a-z]+):(.*)$", makefile, re.MULTILINE))
    assert {"help", "setup", "demo", "test", "lint", "up", "bench"} <= set(targets)
    for name, rest in targets.items():
        assert "## " in rest, f"{name} is not explained"
        if name not in {"help", "setup", "lock"}:
            assert rest.split("##")[0].strip() == "setup", name
    assert "unexport PYTHONDONTWRITEBYTECODE" in makefile


def test_telemetry_is_off_for_every_target() -> None:
    makefile = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    for name in (
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED",
        "SCARF_ANALYTICS",
        "DO_NOT_TRACK",
        "DBT_SEND_ANONYMOUS_USAGE_STATS",
        "GX_ANALYTICS_ENABLED",
    ):
        assert f"export {name} := " in makefile


def test_ci_runs_make_test_and_nothing_else() -> None:
    script = PROJECT_ROOT / ".ci" / "run"
    lines = [line for line in script.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert lines == ["set -euo pipefail", 'cd "$(dirname "${BASH_SOURCE[0]}")/.."', "exec make test"]
    assert script.stat().st_mode & 0o111


def test_no_two_helper_modules_of_the_tests_have_one_name() -> None:
    # Folders of tests are all on the path of one process: the second module of a name would be the first one.
    names = Counter(
        file.name for file in (PROJECT_ROOT / "tests").rglob("*.py") if file.name not in ("__init__.py", "conftest.py")
    )
    assert len(names) > 100
    assert [name for name, count in names.items() if count > 1] == []
