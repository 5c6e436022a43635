"""A publisher that is killed, finds a full disk or meets another one: what stood stands, and the next run is clean."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from shop_of_marts import GOES_TO, TestShop, audience, day, tree

from renqun.errors import TechnicalError
from renqun.publish import delivering, withdrawal
from renqun.publish.catalogue_file import CATALOGUE_NAME
from renqun.publish.history import AudienceFolder
from renqun.publish.manifest import read_audience_manifest
from renqun.publish.promotion import PromotionReport
from renqun.publish.verify import verify
from renqun.publish.withdrawal import withdraw

FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def shop(delivered_shop: TestShop) -> TestShop:
    return delivered_shop


def folder_of(shop: TestShop) -> AudienceFolder:
    return AudienceFolder(shop.audiences / "champions")


def publish(shop: TestShop) -> Path:
    return shop.version_of(run(shop))


def run(shop: TestShop) -> PromotionReport:
    return shop.publish_audiences(day(1), [audience(destinations=GOES_TO)])


def require_whole(shop: TestShop, version: str) -> None:
    """The pointer names a version, it verifies, and nothing half-made lies about."""
    pointer = folder_of(shop).pointer()
    assert pointer is not None
    assert pointer.version == version
    assert verify(shop.audiences / "champions" / "latest.json").failures == []
    assert not list(shop.audiences.rglob(".*staging*"))
    assert not list(shop.audiences.rglob("*.tmp"))


STEPS_OF_DELIVERING = ["write_full", "write_changes", "entry_of", "_write_contacted"]


@pytest.mark.parametrize("step", STEPS_OF_DELIVERING)
@pytest.mark.parametrize("is_late", [False, True], ids=["at first", "at the second destination"])
def test_a_full_disk_while_delivering_leaves_what_stood(
    shop: TestShop, step: str, is_late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(shop.audiences)
    (first,) = [one.version for one in folder_of(shop).versions()]
    calls: Iterator[int] = iter(range(99))
    real = getattr(delivering, step)

    def full(*arguments: object, **named: object) -> object:
        if next(calls) < int(is_late and step != "_write_contacted"):
            return real(*arguments, **named)
        raise FULL

    with monkeypatch.context() as patched:
        patched.setattr(delivering, step, full)
        with pytest.raises(TechnicalError, match="No space left on device"):
            publish(shop)
    assert tree(shop.audiences) == before
    require_whole(shop, first)
    require_whole(shop, publish(shop).name)


KILLED = """
import os, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from shop_of_marts import GOES_TO, TestShop, audience, day
from renqun.publish import delivering, promotion, withdrawal
from renqun.publish.history import AudienceFolder
def die(*_, **__): os._exit(9)
modules = dict(delivering=delivering, promotion=promotion, withdrawal=withdrawal, folder=AudienceFolder, os=os)
setattr(modules[sys.argv[2]], sys.argv[3], die)
shop = TestShop.at(Path(sys.argv[1]))
if sys.argv[4] == "publish":
    shop.publish_audiences(day(1), [audience(destinations={destinations!r})])
else:
    withdrawal.withdraw(shop.home, "default", "champions", withdrawn_by="ann", reason="-")
"""


def kill(shop: TestShop, module: str, step: str, what: str) -> None:
    code = KILLED.format(tests=str(Path(__file__).parent), destinations=GOES_TO)
    ended = subprocess.run([sys.executable, "-c", code, str(shop.home.root), module, step, what], check=False)
    assert ended.returncode == 9


@pytest.mark.parametrize(
    ("module", "step"), [("delivering", "write_changes"), ("delivering", "_write_contacted"), ("promotion", "to_text")]
)
def test_a_kill_while_delivering_leaves_what_stood(shop: TestShop, module: str, step: str) -> None:
    (first,) = [one.version for one in folder_of(shop).versions()]
    kill(shop, module, step, "publish")
    assert folder_of(shop).pointer().version == first  # type: ignore[union-attr]
    assert verify(shop.audiences / "champions" / "latest.json").failures == []
    healed = publish(shop)
    require_whole(shop, healed.name)
    delivery = read_audience_manifest(healed).deliveries["tencent"]
    assert (delivery.appended, delivery.reduced) == (2, 2)


STEPS_OF_WITHDRAWING = [
    (withdrawal, "write_list"),
    (withdrawal, "write_changes"),
    (withdrawal, "to_text"),
    (os, "rename"),
    (withdrawal, "write_contract"),
    (AudienceFolder, "point_to"),
    (withdrawal, "refresh_catalogue"),
]


@pytest.mark.parametrize(
    ("module", "step"),
    STEPS_OF_WITHDRAWING,
    ids=[step for _, step in STEPS_OF_WITHDRAWING],
)
def test_a_full_disk_while_withdrawing_is_said_and_mended(
    shop: TestShop, module: object, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = folder_of(shop).versions()[0].version, publish(shop).name

    def full(*_: object, **__: object) -> None:
        raise FULL

    with monkeypatch.context() as patched:
        patched.setattr(module, step, full)
        with pytest.raises(TechnicalError, match=r"was not finished: .*No space left on device"):
            withdraw(shop.home, "default", "champions", withdrawn_by="ann", reason="-")
    if step == "refresh_catalogue":
        # The word is given and the pointer has moved: the next publication writes the catalogue.
        assert run(shop).held_back
    else:
        record = withdraw(shop.home, "default", "champions", withdrawn_by="ann", reason="-")
        assert record.recalled_rows == {"sms": 2, "tencent": 2}
    require_whole(shop, first)
    assert first in (shop.audiences / CATALOGUE_NAME).read_text(encoding="utf-8")
    contract = shop.audiences / "champions" / "contracts" / f"{second}.odcs.yaml"
    assert "status: retired" in contract.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("module", "step"), [("withdrawal", "write_changes"), ("os", "rename"), ("withdrawal", "write_contract")]
)
def test_a_killed_withdrawal_is_finished_by_whoever_comes_next(shop: TestShop, module: str, step: str) -> None:
    first, second = folder_of(shop).versions()[0].version, publish(shop).name
    kill(shop, module, step, "withdraw")
    if step == "write_contract":
        # The word was given: the next publication, of whatever date, does what follows from it.
        assert {one.id for one in verify(shop.audiences / "champions" / "latest.json").failures} == {"withdrawn"}
        assert run(shop).held_back
    else:
        assert folder_of(shop).pointer().version == second  # type: ignore[union-attr]
        assert verify(shop.audiences / "champions" / "latest.json").failures == []
        withdraw(shop.home, "default", "champions", withdrawn_by="ann", reason="-")
    require_whole(shop, first)


TOGETHER = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from shop_of_marts import GOES_TO, TestShop, audience, day
from renqun.errors import RenqunError
shop = TestShop.at(Path(sys.argv[1]))
sys.stdin.readline()
try:
    shop.publish_audiences(day(1), [audience(destinations={destinations!r})])
except RenqunError as error:
    sys.exit(int(error.exit_code))
"""


def test_two_publishers_at_once_make_one_version(shop: TestShop) -> None:
    code = TOGETHER.format(tests=str(Path(__file__).parent), destinations=GOES_TO)
    start = [sys.executable, "-c", code, str(shop.home.root)]
    both = [subprocess.Popen(start, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for one in both:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    told = [one.communicate(timeout=120)[1] for one in both]
    # Whoever loses says so as an error of ours; nobody falls over.
    assert all(one.returncode in (0, 2, 3) for one in both), told
    assert "Traceback" not in "".join(told)
    version = publish(shop)
    require_whole(shop, version.name)
    assert len(folder_of(shop).versions()) == 2
