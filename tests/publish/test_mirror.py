"""Published audiences in an object store: whole versions, a pointer that moves last, and proof by what stands there."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow import fs
from pydantic import ValidationError
from shop_of_marts import GOES_TO, TestShop, audience, day
from typer.testing import CliRunner

from renqun.cli.app import app
from renqun.errors import RequestError, TechnicalError
from renqun.publish.catalogue_file import CATALOGUE_NAME
from renqun.publish.mirror import MirrorReport, mirror_audiences
from renqun.publish.objects import ObjectStore, Stored
from renqun.publish.verify_objects import verify_url
from renqun.publish.withdrawal import release, withdraw
from renqun.settings import Publishing, Shop


@pytest.fixture
def shop(delivered_shop: TestShop) -> TestShop:
    return delivered_shop


def publish(shop: TestShop, number: int = 1) -> str:
    return shop.version_of(shop.publish_audiences(day(number), [audience(destinations=GOES_TO)])).name


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    """A store that keeps its objects in a folder: the same file system of pyarrow, without a network."""
    return ObjectStore(fs.LocalFileSystem(), str(tmp_path / "bucket"), "s3://bucket")


def mirror(shop: TestShop, store: ObjectStore) -> MirrorReport:
    report = mirror_audiences(shop.home.paths("default"), Shop(id="default"), store=store)
    assert report is not None
    return report


LATEST = "s3://bucket/default/audiences/champions/latest.json"


def latest(store: ObjectStore) -> str | None:
    """The version that the pointer there names, which must be sound."""
    found = verify_url(LATEST, store=store)
    assert found.failures == [], found.failures
    assert found.path == LATEST
    return found.version


def objects(store: ObjectStore, name: str = "default/audiences") -> dict[str, bytes]:
    files, folders = store.listed(name)
    found = {f"{name}/{one}": store.read(f"{name}/{one}") or b"" for one in files}
    for folder in folders:
        found |= objects(store, f"{name}/{folder}")
    return found


def test_every_version_is_there_whole_and_nothing_is_copied_twice(shop: TestShop, store: ObjectStore) -> None:
    first = mirror(shop, store)
    assert [one.partition("/")[0] for one in first.versions] == ["champions"]
    second = publish(shop)
    assert mirror(shop, store).versions == [f"champions/{second}"]
    assert latest(store) == second
    here = {
        f"default/audiences/{path.relative_to(shop.audiences).as_posix()}": path.read_bytes()
        for path in shop.audiences.rglob("*")
        if path.is_file() and path.name != "outcome.json"
    }
    there = objects(store)
    assert there == here
    again = mirror(shop, store)
    assert (again.versions, again.withdrawals, again.pointers) == ([], [], [])
    assert objects(store) == there


def test_a_withdrawal_is_told_there_and_taken_back_when_it_is_released(shop: TestShop, store: ObjectStore) -> None:
    first, second = mirror(shop, store).versions[0].partition("/")[2], publish(shop)
    mirror(shop, store)
    withdraw(shop.home, "default", "champions", withdrawn_by="ann", reason="-")
    told = mirror(shop, store)
    assert (told.withdrawals, told.pointers) == ([f"champions/{second}"], ["champions"])
    assert latest(store) == first
    version = f"s3://bucket/default/audiences/champions/as_of={day(1)}/{second}"
    assert [one.id for one in verify_url(version, store=store).failures] == ["withdrawn"]
    place = f"default/audiences/champions/withdrawn/{second}"
    assert store.read(f"{place}/sms_recall.txt") == b"13800138020\n13800138021\n"
    contract = f"default/audiences/champions/contracts/{second}.odcs.yaml"
    assert b"status: retired" in (store.read(contract) or b"")


def test_a_release_takes_a_withdrawal_back_there(shop: TestShop, store: ObjectStore) -> None:
    keys_only = [audience()]
    second = shop.version_of(shop.publish_audiences(day(1), keys_only)).name
    withdraw(shop.home, "default", "champions", withdrawn_by="ann", reason="-")
    assert mirror(shop, store).withdrawals == [f"champions/{second}"]
    assert shop.publish_audiences(day(1), keys_only).held_back
    release(shop.home, "default", "champions", day(1), released_by="ann", reason="it was right")
    assert shop.version_of(shop.publish_audiences(day(1), keys_only)).name == second
    assert mirror(shop, store).withdrawals == [f"champions/{second}"]
    assert latest(store) == second
    assert store.listed(f"default/audiences/champions/withdrawn/{second}")[0] == []
    contract = store.read(f"default/audiences/champions/contracts/{second}.odcs.yaml")
    assert b"status: active" in (contract or b"")


def test_a_withdrawn_only_version_leaves_no_pointer(shop: TestShop, store: ObjectStore) -> None:
    mirror(shop, store)
    withdraw(shop.home, "default", "champions", withdrawn_by="ann", reason="-")
    mirror(shop, store)
    with pytest.raises(RequestError, match="there is no such pointer"):
        latest(store)
    assert store.read(f"default/audiences/{CATALOGUE_NAME}") is None


class Killed(BaseException):
    """What ends a process in the middle."""


@dataclasses.dataclass(frozen=True)
class Dying(ObjectStore):
    """A store before whose n-th writing the process ends; half of a file has been written by then."""

    left: list[int] = dataclasses.field(default_factory=list)

    def below(self, name: str) -> ObjectStore:
        return Dying(self.filesystem, f"{self.prefix}/{name}", f"{self.url}/{name}", self.left)

    def _count(self, name: str, half: bytes | None) -> None:
        self.left[0] -= 1
        if self.left[0] < 0:
            if half is not None:
                super().put(name, half)
            raise Killed

    def put(self, name: str, content: bytes) -> None:
        # A small object is one request: it is there, or it is not.
        self._count(name, None)
        super().put(name, content)

    def copy_in(self, file: Path, name: str, expected: Stored) -> None:
        self._count(name, file.read_bytes()[: expected.bytes // 2])
        super().copy_in(file, name, expected)

    def delete(self, name: str) -> None:
        self._count(name, None)
        super().delete(name)


def test_a_kill_before_any_writing_leaves_the_pointer_good_and_the_next_run_goes_on(
    shop: TestShop, store: ObjectStore, tmp_path: Path
) -> None:
    first = mirror(shop, store).versions[0].partition("/")[2]
    second = publish(shop)
    start = tmp_path / "start"
    shutil.copytree(tmp_path / "bucket", start)
    mirror(shop, store)
    assert latest(store) == second
    whole = objects(store)
    for writings in range(99):
        shutil.rmtree(tmp_path / "bucket")
        shutil.copytree(start, tmp_path / "bucket")
        try:
            mirror(shop, Dying(store.filesystem, store.prefix, store.url, [writings]))
        except Killed:
            seen = latest(store)
            assert seen in (first, second)
            mirror(shop, store)
            assert objects(store) == whole
        else:
            break
    # Files of a version, its contract and manifest, the pointer, the catalogue.
    assert writings == len(list((shop.audiences / "champions" / f"as_of={day(1)}" / second).iterdir())) + 3


def test_what_the_store_gives_back_is_looked_at(
    shop: TestShop, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = mirror(shop, store).versions[0].partition("/")[2]
    publish(shop)
    real = fs.LocalFileSystem.open_output_stream

    class Lossy:
        type_name = "s3"

        def __getattr__(self, name: str) -> object:
            return getattr(store.filesystem, name)

        def open_output_stream(self, path: str) -> object:
            store.filesystem.create_dir(path.rpartition("/")[0], recursive=True)
            return real(store.filesystem, path + ".lost" if path.endswith("tencent.zip") else path)

    lossy = ObjectStore(Lossy(), store.prefix, store.url)
    with pytest.raises(TechnicalError, match="the object store failed"):
        mirror(shop, lossy)
    assert latest(store) == first


def test_a_file_that_was_changed_here_does_not_go_there(shop: TestShop, store: ObjectStore) -> None:
    first = mirror(shop, store).versions[0].partition("/")[2]
    file = shop.audiences / "champions" / f"as_of={day(1)}" / publish(shop) / "sms.txt"
    file.chmod(0o600)
    file.write_bytes(file.read_bytes().replace(b"138", b"139", 1))
    with pytest.raises(TechnicalError, match="a published file is not what its manifest says"):
        mirror(shop, store)
    assert latest(store) == first


@pytest.mark.parametrize(
    ("name", "content", "failure"),
    [
        ("sms.txt", b"13800138001\n", "wrong_sha256"),
        ("stowaway.csv", b"x", "unexpected_file"),
        (".hidden", b"x", "unsafe_path"),
        ("folder/file.csv", b"x", "unsafe_path"),
        ("members.parquet", None, "missing_file"),
        ("manifest.json", None, "manifest_missing"),
    ],
)
def test_tampering_there_is_named(
    shop: TestShop, store: ObjectStore, name: str, content: bytes | None, failure: str
) -> None:
    version = mirror(shop, store).versions[0].partition("/")[2]
    path = f"default/audiences/champions/as_of={day(0)}/{version}"
    if content is None:
        store.delete(f"{path}/{name}")
    else:
        store.put(f"{path}/{name}", content)
    for url in (LATEST, f"s3://bucket/{path}", f"s3://bucket/{path}/"):
        assert failure in {one.id for one in verify_url(url, store=store).failures}


@pytest.mark.parametrize(
    ("pointer", "words"),
    [(b"{", "cannot be read"), (b'{"path": "../../x"}', "none of a version"), (b"\xff", "cannot be read")],
)
def test_a_pointer_there_leads_nowhere_else(store: ObjectStore, pointer: bytes, words: str) -> None:
    store.put("default/audiences/champions/latest.json", pointer)
    with pytest.raises(RequestError, match=words):
        latest(store)
    with pytest.raises(RequestError, match="there is no version to verify"):
        verify_url(f"s3://bucket/default/audiences/champions/as_of={day(0)}/{'f' * 16}", store=store)


@pytest.mark.parametrize(
    "url", ["http://bucket/x", "s3://", "s3://B", "s3://key:secret@bucket/x", "s3://bucket/x?endpoint=y", "s3://b/a b"]
)
def test_a_place_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        Publishing(publish_to=url)
    with pytest.raises(RequestError, match="names no place in an object store"):
        ObjectStore.of(url)


# --- against a server that speaks S3 ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A local S3 server with one bucket; its address."""
    moto = pytest.importorskip("moto.server", reason="bash include/setup/environment.sh requirements-objects.lock")
    running = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "nobody"), ("AWS_SECRET_ACCESS_KEY", "nothing"), ("AWS_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL_S3", server), ("AWS_EC2_METADATA_DISABLED", "true"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    made = fs.S3FileSystem(endpoint_override=server, region="us-east-1", allow_bucket_creation=True)
    made.create_dir("bucket")
    return "s3://bucket/of/ours"


def test_the_commands_publish_to_a_server_and_prove_what_stands_there(
    shop: TestShop, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RENQUN_HOME", str(shop.home.root))
    run = CliRunner()
    assert isinstance(run.invoke(app, ["audience", "mirror"]).exception, RequestError)
    shop.home.shops_file.write_text(
        f"shops: [{{id: default, publishing: {{publish_to: '{bucket}'}}}}]", encoding="utf-8"
    )
    done = run.invoke(app, ["audience", "mirror"])
    assert done.exit_code == 0, done.output
    second = publish(shop)
    assert run.invoke(app, ["audience", "mirror"]).exit_code == 0
    shown = run.invoke(app, ["verify", f"{bucket}/default/audiences/champions/latest.json"])
    assert shown.exit_code == 0, shown.output
    assert second in shown.output
    assert "sound" in shown.output
    # A withdrawal goes there by itself.
    assert run.invoke(app, ["audience", "withdraw", "champions", "--reason", "-"]).exit_code == 0
    version = f"{bucket}/default/audiences/champions/as_of={day(1)}/{second}"
    withdrawn = run.invoke(app, ["verify", version])
    assert withdrawn.exit_code == 1
    assert "withdrawn: " in withdrawn.output
    store = ObjectStore.of(f"{bucket}/default/audiences/champions")
    assert second not in (store.read("latest.json") or b"").decode()
    assert store.read("nothing") is None


def test_a_store_that_is_down_or_refuses_is_an_error_with_a_remedy(
    shop: TestShop, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TechnicalError, match="the object store failed"):
        mirror(shop, ObjectStore.of("s3://another-bucket/x"))
    store = ObjectStore.of(bucket)
    mirror(shop, store)
    before = store.read("default/audiences/champions/latest.json")
    publish(shop)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    with pytest.raises(TechnicalError, match="the object store failed"):
        mirror(shop, ObjectStore.of(bucket))
    assert store.read("default/audiences/champions/latest.json") == before
