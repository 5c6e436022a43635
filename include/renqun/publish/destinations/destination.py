"""What a destination is: identifiers, file, limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Channel = Literal["none", "ads", "email", "sms", "crm"]
"""By which way a destination reaches people, and so whose consent it needs; `none` reaches nobody by itself."""
FileKind = Literal["csv", "lines", "zipped_lines", "oceanengine"]
"""`csv`: with a header; `lines`: one identifier a line, no header; `zipped_lines`: the same, zipped;
`oceanengine`: lines of base64 of a protocol buffer with up to ten thousand identifiers each."""
CONTACT_CHANNELS: frozenset[Channel] = frozenset({"email", "sms", "crm"})
"""Channels by which a person gets a message of their own: these are counted and capped."""


@dataclass(frozen=True)
class NameLimit:
    """How long the name of an audience may be there."""

    length: int
    unit: Literal["characters", "bytes"]

    def allows(self, name: str) -> bool:
        """Whether a name fits."""
        return len(name.encode("utf-8") if self.unit == "bytes" else name) <= self.length


@dataclass(frozen=True)
class Destination:
    """One destination: which identifiers it takes, in which file, and its published limits."""

    id: str
    name_en: str
    name_zh: str
    channel: Channel
    kind: FileKind
    columns: tuple[tuple[str, str], ...]
    """Header and SQL of each column, over `customer_key, phone, email, open_uid`."""
    identifiers: tuple[int, ...]
    """Positions of the columns of which a row needs at least one: who has none of them cannot be reached there."""
    minimum: int = 1
    """Fewer rows are not published: the platform would refuse them, or single out people."""
    maximum: int | None = None
    rows_per_file: int | None = None
    bytes_per_file: int | None = None
    name_limit: NameLimit | None = None
    screens_names: bool = False
    """The platform looks at the names of audiences: they get a neutral one."""
    has_deltas: bool = False
    """Takes lists of who is added (`append`) and who is removed (`reduce`) beside the full list."""
    note: str = ""
    """What whoever uploads the file has to know."""
    suffix: str = ""
    """The end of its files' names where it is not the usual one of the kind."""
    documentation: tuple[str, ...] = ()
    """Where the platform says so."""

    @property
    def extension(self) -> str:
        """The end of its files' names."""
        usual = {"csv": "csv", "lines": "txt", "zipped_lines": "zip", "oceanengine": "txt"}
        return self.suffix or usual[self.kind]


def is_contact(destination: Destination) -> bool:
    """Whether people get messages of their own by way of the destination."""
    return destination.channel in CONTACT_CHANNELS
