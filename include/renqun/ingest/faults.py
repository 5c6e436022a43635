"""The one error of a file as a whole."""

from __future__ import annotations

from renqun.errors import RequestError


class FileRefused(RequestError):
    """A file as a whole cannot be taken in."""
