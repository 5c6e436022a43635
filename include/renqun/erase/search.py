"""Looking for a person in any file: tables cell by cell, archives member by member, texts word by word."""

from __future__ import annotations

import base64
import gzip
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb

from renqun.errors import TechnicalError
from renqun.persons.identifiers import Identifiers, Matcher, columns_of, fill, sha256
from renqun.publish import files
from renqun.publish.destinations import DESTINATIONS
from renqun.settings import Settings
from renqun.sql_text import identifier

_SHORTEST = 6
"""A shorter word (`c1`, `7`) is found everywhere: such ids are looked for in columns of their kind only."""
_OF_WORDS = re.compile(r"[0-9A-Za-z_@.+#-]+")
_OF_WORDS_SQL = "[^0-9A-Za-z_@.+#-]+"
_ENCODINGS = ("gb18030", "utf-16")
_LARGEST_MEMBER = 1 << 30
_BASE64_LINES = re.compile(rb"(?:[A-Za-z0-9+/]{64,}={0,2}\r?\n)+")


@dataclass(frozen=True)
class Words:
    """The words that name a person, in every form that anything of ours writes them in."""

    person: Identifiers

    @cached_property
    def destination_values(self) -> dict[str, frozenset[str]]:
        """By destination: the cells of its files that are the person's."""
        return dict(_written_for_destinations(self.person))

    @cached_property
    def all(self) -> frozenset[str]:
        """Every word that is long enough to mean nobody else."""
        person = self.person
        values = {value for values in person.lasting.values() for value in values} | person.keys | person.written
        values |= {form for one in person.written if one.startswith("+") for form in _phone_forms(one)}
        values |= {value for of_one in self.destination_values.values() for value in of_one}
        # Samples of gates show values as hashes.
        values |= {f"#{sha256(value)[:12]}" for value in values}
        return frozenset(one for one in values if len(one) >= _SHORTEST)

    @cached_property
    def _plain(self) -> frozenset[str]:
        return frozenset(one for one in self.all if _OF_WORDS.fullmatch(one))

    @cached_property
    def _others(self) -> tuple[str, ...]:
        return tuple(sorted(self.all - self._plain))

    def count_in(self, file: Path) -> int:
        """How often a file names the person: rows of a table, words of anything else."""
        try:
            if file.suffix == ".parquet":
                return self.count_in_rows(self._bench, files.read_parquet(self._bench, file))
            if file.suffix == ".duckdb":
                return self._count_in_database(file)
        except (duckdb.Error, TechnicalError):
            pass  # A damaged one is searched as the bytes that it is.
        return sum(self.count_in_text(content) for content in _contents(file.read_bytes(), file.name))

    def count_in_text(self, content: bytes) -> int:
        """How many words of a text, in whatever encoding, are the person's."""
        texts = [content.decode("utf-8", "replace")]
        if "\ufffd" in texts[0]:
            texts += [content.decode(encoding, "replace") for encoding in _ENCODINGS]
        return max(len(self.words_in(text)) for text in texts)

    def words_in(self, text: str) -> list[str]:
        """The words of a text that are the person's."""
        found = [word for raw in _OF_WORDS.findall(text) for word in {raw, raw.strip(".+-")} & self._plain]
        return found + [word for word in self._others for _ in range(text.count(word))]

    def count_in_rows(self, connection: duckdb.DuckDBPyConnection, relation: duckdb.DuckDBPyRelation) -> int:
        """How many rows of a relation are the person's, or name them anywhere."""
        condition = self.condition(connection, columns_of(relation))
        return 0 if condition is None else files.rows_of(relation.filter(condition))

    def condition(self, connection: duckdb.DuckDBPyConnection, columns: dict[str, str]) -> str | None:
        """SQL over a table's columns: whether a row is the person's or names them anywhere."""
        matcher = self._matcher(connection)
        told = matcher.rows(columns)
        texts = [name for name, kind in columns.items() if "VARCHAR" in kind or kind == "JSON"]
        words = f"(select list(value) from {matcher.table} where kind = 'word')"
        anywhere = [
            f"coalesce(list_has_any(list_append(regexp_split_to_array({text}, '{_OF_WORDS_SQL}'), {text}), {words}),"
            " false)"
            for text in (f"cast({identifier(name)} as varchar)" for name in texts)
        ]
        return " or ".join([*([told] if told else []), *anywhere]) or None

    @cached_property
    def _table(self) -> str:
        """Each person has a table of their own: it is filled once a connection."""
        return f"erased_{sha256(repr(self.person.lists()))[:16]}"

    def _matcher(self, connection: duckdb.DuckDBPyConnection) -> Matcher:
        """A matcher of the person whose table has the words as well."""
        there = "select 1 from duckdb_tables() where table_name = ? and temporary"
        if not connection.execute(there, [self._table]).fetchall():
            known = {**self.person.lasting, "key": self.person.keys, "word": self.all}
            pairs = [(kind, value) for kind, values in known.items() for value in sorted(values)]
            fill(connection, self._table, pairs)
        return Matcher(self._table)

    @cached_property
    def _bench(self) -> duckdb.DuckDBPyConnection:
        """One connection for all files: a new one for each would cost more than looking into it."""
        settings = Settings()
        bench = duckdb.connect(config={"memory_limit": settings.memory_limit, "threads": settings.threads})
        bench.execute("set TimeZone = 'UTC'")
        return bench

    def _count_in_database(self, file: Path) -> int:
        files.attach(self._bench, file, "searched")
        try:
            tables = self._bench.execute(
                "select schema_name, table_name from duckdb_tables() where database_name = 'searched'"
            ).fetchall()
            return sum(
                self.count_in_rows(
                    self._bench, self._bench.sql(f"from searched.{identifier(schema)}.{identifier(table)}")
                )
                for schema, table in tables
            )
        finally:
            self._bench.execute("detach searched")


def _phone_forms(phone: str) -> Iterator[str]:
    yield phone[1:]
    if phone.startswith("+86"):
        yield phone[3:]


def _written_for_destinations(person: Identifiers) -> Iterator[tuple[str, frozenset[str]]]:
    """What each destination's file would say of the person, by any of their contacts."""
    phones = [one for one in sorted(person.written) if one.startswith("+")]
    emails = [one for one in sorted(person.written) if "@" in one]
    rows: list[tuple[str | None, ...]] = [(key, None, None, None) for key in sorted(person.customer_key)]
    rows += [(None, phone, None, None) for phone in phones] + [(None, None, email, None) for email in emails]
    rows += [(None, None, None, open_uid) for open_uid in sorted(person.open_uid)]
    with duckdb.connect() as connection:
        connection.execute(
            "create table people"
            " (customer_key varchar, phone varchar, email varchar, open_uid varchar, entered_on date)"
        )
        if rows:
            connection.executemany("insert into people values (?, ?, ?, ?, null)", [list(row) for row in rows])
        for to in DESTINATIONS.values():
            values: set[str] = set()
            for place in to.identifiers:
                found = connection.execute(f"select distinct {to.columns[place][1]} from people").fetchall()
                values |= {str(row[0]) for row in found if row[0] is not None}
            yield to.id, frozenset(values)


def _contents(content: bytes, name: str) -> Iterator[bytes]:
    """The bytes of a file, and of everything packed in it."""
    yield content
    if content[:2] == b"\x1f\x8b":
        try:
            yield from _contents(gzip.decompress(content), name)
        except (OSError, EOFError):
            return
    elif content[:4] == b"PK\x03\x04":
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for entry in archive.infolist():
                    if entry.file_size <= _LARGEST_MEMBER and not entry.flag_bits & 1:
                        yield from _contents(archive.read(entry), entry.filename)
        except (zipfile.BadZipFile, OSError):
            return
    elif _BASE64_LINES.fullmatch(content):
        yield b"\n".join(base64.b64decode(line + b"==") for line in content.split())
