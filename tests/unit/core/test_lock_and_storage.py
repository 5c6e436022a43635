"""Writing and locking: whole or not at all, one at a time, and a killed holder blocks nobody."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from renqun.errors import ShopBusy
from renqun.lock import exclusive
from renqun.storage import canonical_json, point_link, staging_folder, sweep_staging, write_text_atomically

_HOLDER = """
import sys, time
from pathlib import Path
from renqun.lock import exclusive
with exclusive(Path(sys.argv[1]), "a long build"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def held(tmp_path: Path):
    """A lock file that another process holds."""
    lock = tmp_path / "writer.lock"
    with subprocess.Popen([sys.executable, "-c", _HOLDER, str(lock)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield lock, process
        process.kill()


def test_a_second_writer_is_told_who_holds_the_lock(held) -> None:
    lock, process = held
    with pytest.raises(ShopBusy) as caught, exclusive(lock, "another build"):
        pass
    assert "a long build" in str(caught.value)
    assert str(process.pid) in str(caught.value)


def test_the_lock_is_free_again_when_its_holder_is_killed(held) -> None:
    lock, process = held
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with exclusive(lock, "the next build", timeout_seconds=5):
        assert "the next build" in lock.read_text(encoding="utf-8")


def test_a_waiting_writer_gets_the_lock_when_it_is_released(held) -> None:
    lock, process = held
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    with exclusive(lock, "the next build", timeout_seconds=30):
        assert time.monotonic() - started < 30


def test_a_file_is_as_before_when_writing_it_fails(tmp_path: Path) -> None:
    target = tmp_path / "pointer.json"
    write_text_atomically(target, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text_atomically(target, "half \ud800")
    assert target.read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["pointer.json"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "v1"
    with pytest.raises(OSError, match="disk"), staging_folder(target) as staging:
        (staging / "half").write_text("x")
        raise OSError("disk full")
    assert list(tmp_path.iterdir()) == []
    with staging_folder(target) as staging:
        (staging / "whole").write_text("x")
    assert [path.name for path in target.iterdir()] == ["whole"]


def test_what_a_killed_writer_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / ".staging-v2-0000").mkdir()
    assert len(sweep_staging(tmp_path)) == 1
    assert list((tmp_path / "deep").iterdir()) == []


def test_a_pointer_moves_in_one_step_and_survives_a_moved_home(tmp_path: Path) -> None:
    for version in ("v1", "v2"):
        (tmp_path / "home" / version).mkdir(parents=True)
        point_link(tmp_path / "home" / "latest", tmp_path / "home" / version)
    (tmp_path / "home").rename(tmp_path / "moved")
    assert (tmp_path / "moved" / "latest").resolve() == (tmp_path / "moved" / "v2").resolve()


def test_equal_values_give_equal_json() -> None:
    assert canonical_json({"b": 1, "a": "人群"}) == canonical_json({"a": "人群", "b": 1})
