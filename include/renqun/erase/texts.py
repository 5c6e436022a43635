"""Verdicts, reports and logs without a person: the lines and values that name them go, the rest stays."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from renqun.erase.search import Words
from renqun.erase.tally import Tallies
from renqun.storage import canonical_json, write_text_atomically

_TEXTS = frozenset({".json", ".jsonl", ".html", ".log", ".txt", ".md", ".csv", ".yml", ".prom", ""})
_INSTEAD = "(erased)"


def text_files(*roots: Path) -> Iterator[Path]:
    """Files below some folders that are texts, whatever they are called after."""
    for root in roots:
        for file in sorted(root.rglob("*")) if root.is_dir() else ():
            if file.is_file() and not file.is_symlink() and file.suffix in _TEXTS:
                yield file


def erase_from_texts(place: str, words: Words, tallies: Tallies, *roots: Path) -> None:
    """Take the person out of every text below some folders."""
    for file in text_files(*roots):
        found = words.count_in(file)
        tallies.note(place, searched=1, found=found, files=bool(found))
        if found:
            mode = file.stat().st_mode & 0o777
            write_text_atomically(file, _without(file, words))
            os.chmod(file, mode)


def _without(file: Path, words: Words) -> str:
    text = file.read_text(encoding="utf-8", errors="replace")
    if file.suffix == ".json":
        try:
            return canonical_json(_cleaned(json.loads(text), words))
        except ValueError:
            pass
    if file.suffix == ".html":
        for word in sorted(set(words.words_in(text)), key=len, reverse=True):
            text = text.replace(word, _INSTEAD)
        return text
    return "".join(line for line in text.splitlines(keepends=True) if not words.words_in(line))


def _cleaned(value: Any, words: Words) -> Any:
    if isinstance(value, dict):
        return {key: _cleaned(one, words) for key, one in value.items()}
    if isinstance(value, list):
        return [_cleaned(one, words) for one in value]
    return _INSTEAD if isinstance(value, str) and words.words_in(value) else value
