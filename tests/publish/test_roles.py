"""Analysts read published marts and nothing else: tried as another user, not only by looking at modes."""

from __future__ import annotations

import grp
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from shop_of_marts import TestShop, day

from renqun.errors import RequestError
from renqun.publish.reader import execute_query, open_marts
from renqun.upkeep.roles import apply_roles

GROUP = "daemon"
"""A group that every machine has and nobody is in."""
STRANGER = 65534

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def shop(template: TestShop, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestShop]:
    """The published shop at a place that others can reach, its roles applied before the second day."""
    monkeypatch.setenv("RENQUN_ANALYSTS_GROUP", GROUP)
    with tempfile.TemporaryDirectory(prefix="renqun-roles-") as folder:
        Path(folder).chmod(0o711)
        shutil.copytree(template.home.root, Path(folder) / "home", symlinks=True)
        made = TestShop.at(Path(folder) / "home")
        paths = made.home.paths("default")
        for secret in (paths.raw / "orders" / "a.parquet", paths.landing / "orders" / "a.csv"):
            secret.parent.mkdir(parents=True)
            secret.write_text("13800138000")
        (paths.quality / "results").mkdir(parents=True, exist_ok=True)
        (paths.quality / "results" / "verdict.json").write_text("{}")
        made.warehouse.spells = list(template.warehouse.spells)
        made.warehouse.sessions = dict(template.warehouse.sessions)
        apply_roles(made.home, "default")
        made.publish_day(day(1))
        yield made


def _as_another(group_id: int, look: Callable[[], object]) -> object:
    """What a function gives in a process of user `nobody` with one group: its answer, or the name of the error."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([group_id])
            os.setgid(group_id)
            os.setuid(STRANGER)
            answer = look()
        except BaseException as error:
            answer = type(error).__name__
        os.write(writes, json.dumps(answer).encode())
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as stream:
        text = stream.read()
    os.waitpid(child, 0)
    return json.loads(text)


def _analyst(look: Callable[[], object]) -> object:
    return _as_another(grp.getgrnam(GROUP).gr_gid, look)


def _query(shop: TestShop) -> Callable[[], object]:
    def ask() -> object:
        connection = open_marts(shop.home, "default")
        counted = "select (select count(*) from fct_sessions), (select count(*) from fct_orders)"
        return execute_query(connection, counted).fetchall()

    return ask


def _files(shop: TestShop, part: str) -> list[Path]:
    return [path for path in (shop.home.root / "default" / part).rglob("*") if path.is_file()]


def test_an_analyst_queries_marts_of_before_and_after_the_roles_were_applied(shop: TestShop) -> None:
    assert _query(shop)() == [(48, 2)]
    assert _analyst(_query(shop)) == [[48, 2]]
    every = _files(shop, "published/marts") + _files(shop, "quality/results")
    assert len({path.parent.parent for path in every if path.name == "manifest.json"}) == 2
    assert _analyst(lambda: [len(path.read_bytes()) > 0 for path in every]) == [True] * len(every)


@pytest.mark.parametrize("part", ["raw", "landing", "warehouse", "published/audiences"])
def test_an_analyst_reads_nothing_that_names_people(shop: TestShop, part: str) -> None:
    found = _files(shop, part)
    assert found
    for path in found:
        assert _analyst(lambda path=path: len(path.read_bytes())) == "PermissionError", path
    assert _analyst(lambda: os.listdir(shop.home.root / "default" / part)) == "PermissionError"


def test_an_analyst_writes_nothing(shop: TestShop) -> None:
    marts = shop.home.paths("default").published_marts
    assert _analyst(lambda: (marts / "mine.txt").write_text("x")) == "PermissionError"
    assert _analyst((marts / "latest").unlink) == "PermissionError"
    for path in _files(shop, "published/marts"):
        assert _analyst(lambda path=path: path.open("ab").close()) == "PermissionError", path


def test_who_is_no_analyst_reads_nothing(shop: TestShop) -> None:
    assert _as_another(STRANGER, _query(shop)) != [[48, 2]]
    for path in _files(shop, ""):
        assert _as_another(STRANGER, lambda path=path: len(path.read_bytes())) == "PermissionError", path


def test_without_analysts_only_the_pipelines_user_reads(shop: TestShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RENQUN_ANALYSTS_GROUP")
    changed = apply_roles(shop.home, "default")
    assert {door.folder.name for door in changed} == {"marts", "quality"}
    assert apply_roles(shop.home, "default") == []
    assert _analyst(_query(shop)) != [[48, 2]]
    modes = {stat.S_IMODE(door.folder.stat().st_mode) for door in changed}
    assert modes == {0o700}


def test_a_group_that_is_not_there_is_named(shop: TestShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENQUN_ANALYSTS_GROUP", "no-such-group")
    with pytest.raises(RequestError, match="no-such-group"):
        apply_roles(shop.home, "default")
