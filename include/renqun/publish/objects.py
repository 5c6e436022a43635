"""Objects in a store, by name below one place: written whole or not at all, read back by their bytes.

Credentials, region and endpoint come from the environment that all S3 programs know (`AWS_ACCESS_KEY_ID`,
`AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`, `AWS_ENDPOINT_URL_S3`, profiles, roles), never from a
setting of ours.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renqun.errors import RequestError, TechnicalError
from renqun.settings import OBJECTS_URL

_CHUNK = 4 * 1024 * 1024


@dataclass(frozen=True)
class Stored:
    """What an object holds, as read back from the store."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class ObjectStore:
    """One place in a store, such as `s3://bucket/prefix`."""

    filesystem: Any
    """A file system of pyarrow."""
    prefix: str
    url: str
    """How people call the place."""

    @classmethod
    def of(cls, url: str) -> ObjectStore:
        """The place that a URL names.

        Raises:
            RequestError: it names none.
        """
        from pyarrow import fs

        if not re.fullmatch(OBJECTS_URL, url) or "/../" in f"{url}/":
            raise RequestError(
                f"{url!r} names no place in an object store",
                remedy="write s3://bucket/prefix; credentials and endpoint come from the environment (AWS_…)",
            )
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        # What fits into one request is one request, so that a pointer moves by a single PUT.
        store = fs.S3FileSystem(region=region, endpoint_override=endpoint, allow_delayed_open=True)
        return cls(store, url.removeprefix("s3://").rstrip("/"), url.rstrip("/"))

    def below(self, name: str) -> ObjectStore:
        """A place inside this one."""
        return ObjectStore(self.filesystem, f"{self.prefix}/{name}", f"{self.url}/{name}")

    def read(self, name: str) -> bytes | None:
        """A small object; None where there is none of that name."""
        with self._told(name):
            try:
                with self.filesystem.open_input_stream(self._path(name)) as stream:
                    return bytes(stream.read())
            except FileNotFoundError:
                return None

    def put(self, name: str, content: bytes) -> None:
        """Write a small object in one request, and read it back.

        Raises:
            TechnicalError: the store cannot be reached, or does not give back what it was given.
        """
        with self._told(name), self._output(name) as stream:
            stream.write(content)
        self._require(name, Stored(len(content), hashlib.sha256(content).hexdigest()))

    def copy_in(self, file: Path, name: str, expected: Stored) -> None:
        """Copy a file and read it back: the object is what the manifest says, or this ends with an error.

        Raises:
            TechnicalError: the file is not what was expected, the store cannot be reached or gives back other bytes.
        """
        sent, size = hashlib.sha256(), 0
        with self._told(name), file.open("rb") as source, self._output(name) as stream:
            while chunk := source.read(_CHUNK):
                sent.update(chunk)
                size += len(chunk)
                stream.write(chunk)
        if Stored(size, sent.hexdigest()) != expected:
            raise TechnicalError(
                "a published file is not what its manifest says: it is not copied any further",
                where=str(file),
                remedy="'renqun verify' on its folder says what is wrong; put it back from a backup",
            )
        self._require(name, expected)

    def copy_out(self, name: str, file: Path) -> None:
        """Copy an object into a file."""
        with (
            self._told(name),
            self.filesystem.open_input_stream(self._path(name)) as source,
            file.open("wb") as sink,
        ):
            while chunk := source.read(_CHUNK):
                sink.write(chunk)

    def listed(self, name: str) -> tuple[list[str], list[str]]:
        """Names of the objects and of the folders directly in a folder; none where there is no such folder."""
        from pyarrow import fs

        with self._told(name):
            found = self.filesystem.get_file_info(fs.FileSelector(self._path(name), allow_not_found=True))
        files = sorted(one.base_name for one in found if one.type == fs.FileType.File)
        return files, sorted(one.base_name for one in found if one.type == fs.FileType.Directory)

    def delete(self, name: str) -> None:
        """Take an object away; nothing happens where there is none."""
        with self._told(name):
            try:
                self.filesystem.delete_file(self._path(name))
            except FileNotFoundError:
                return

    def _require(self, name: str, expected: Stored) -> None:
        digest, size = hashlib.sha256(), 0
        with self._told(name), self.filesystem.open_input_stream(self._path(name)) as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
        if (found := Stored(size, digest.hexdigest())) != expected:
            raise TechnicalError(
                f"an object was written as {expected.bytes} bytes and read back as {found.bytes}, or others",
                where=f"{self.url}/{name}",
                remedy="look at the store; what stood there before still stands, and the next run copies again",
            )

    def _output(self, name: str) -> Any:
        path = self._path(name)
        if self.filesystem.type_name != "s3":
            self.filesystem.create_dir(path.rpartition("/")[0], recursive=True)
        return self.filesystem.open_output_stream(path)

    def _path(self, name: str) -> str:
        return f"{self.prefix}/{name}" if name else self.prefix

    @contextmanager
    def _told(self, name: str) -> Iterator[None]:
        """Errors of the store as errors that an operator can act on; they hold names, never contents."""
        try:
            yield
        except OSError as error:
            raise TechnicalError(
                f"the object store failed: {str(error).partition(chr(10))[0]}",
                where=f"{self.url}/{name}",
                remedy="mend what is named above (credentials and endpoint come from the environment), then"
                " 'renqun audience mirror'; what stood there before still stands",
            ) from error
