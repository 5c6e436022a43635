"""What dbt computes over and over and nobody reads is left out, or computed once a run: half of a small shop's build.

For every statement dbt writes several messages for a log that nobody keeps, and builds the whole table of its macros
anew, once for every node and for every table that it renames or drops. What runs, in which order, with which SQL and
which result stays what it was; `tests/unit/warehouse/test_dbt_economies.py` compares both.

Each economy replaces one function of dbt 1.11, to which `pyproject.toml` holds us.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

replaced: dict[str, Any] = {}
"""What dbt had in place of ours, by name: empty until the economies are applied."""


def apply() -> None:
    """Leave out what nobody reads, in this process, from now on; once is enough."""
    if not replaced:
        _forget_debugging()
        _bind_macros_at_once()
        _wrap_exceptions_when_raised()
        _keep_contexts_of_macros()
        _keep_types_of_results()
        _compare_paths_as_text()
        _compile_templates_once()


def _replace(owner: Any, name: str, ours: Any) -> None:
    replaced[name] = getattr(owner, name)
    setattr(owner, name, ours)


def _forget_debugging() -> None:
    """An event of debugging is put into words, and into a message of protobuf, when somebody listens.

    Callbacks are told of no debugging (ours take none); loggers are asked for their level.
    """
    from dbt_common.events.base_types import BaseEvent, DebugLevel, EventLevel
    from dbt_common.events.event_manager import EventManager

    fire, make = EventManager.fire_event, BaseEvent.__init__
    put: Callable[[Any, str, Any], None] = BaseEvent.__setattr__

    def fire_event(
        self: Any, e: Any, level: Any = None, node: Any = None, force_warn_or_error_handling: bool = False
    ) -> None:
        debugging = (level or e.level_tag()) == EventLevel.DEBUG and not force_warn_or_error_handling
        if not debugging or any(logger.level == EventLevel.DEBUG for logger in self.loggers):
            fire(self, e, level, node, force_warn_or_error_handling)

    def make_later(self: Any, *args: Any, **kwargs: Any) -> None:
        if isinstance(self, DebugLevel):
            self.__dict__["_unmade"] = (args, kwargs)
        else:
            make(self, *args, **kwargs)

    def made(self: Any, key: str) -> Any:
        if key == "pb_msg":
            if "_unmade" not in self.__dict__:
                raise AttributeError(key)
            args, kwargs = self.__dict__.pop("_unmade")
            make(self, *args, **kwargs)
            return self.__dict__["pb_msg"]
        return getattr(self.pb_msg, key)

    def set_made(self: Any, key: str, value: Any) -> None:
        if key != "pb_msg":
            made_before = self.pb_msg  # as reading it makes it
            assert made_before is not None
        put(self, key, value)

    _replace(EventManager, "fire_event", fire_event)
    _replace(BaseEvent, "__init__", make_later)
    _replace(BaseEvent, "__getattr__", made)
    _replace(BaseEvent, "__setattr__", set_made)


class _Macros(dict[str, Any]):
    """All macros that a node sees, by name; dbt's `MacroNamespace` looks through four tables for each of them."""

    def __init__(self, internal: dict[str, Any], packages: dict[str, dict[str, Any]], root: str, package: str) -> None:
        # The last one counts: a node's own package hides the project's, and that dbt's own.
        super().__init__(internal)
        self["dbt"] = self.global_project_namespace = internal
        self.update(packages)
        self.packages = packages
        self.global_namespace = packages.get(root, {}) if root != package else {}
        self.local_namespace = packages.get(package, {})
        self.update(self.global_namespace)
        self.update(self.local_namespace)

    def get_from_package(self, package: str | None, name: str) -> Any:
        """One package's macro of that name, or None; without a package the one that a node sees."""
        from dbt.exceptions import PackageNotFoundForMacroError

        if package is None:
            return self.get(name)
        if package == "dbt":
            return self.global_project_namespace.get(name)
        if package in self.packages:
            return self.packages[package].get(name)
        raise PackageNotFoundForMacroError(package)


def _bind_macros_at_once() -> None:
    """The macros of a node's context are bound to it in one go, without asking of each where it belongs."""
    from dbt.clients.jinja import MacroGenerator
    from dbt.context.macros import MacroNamespaceBuilder

    def build_namespace(self: Any, by_package: dict[str, dict[str, Any]], context: dict[str, Any]) -> _Macros:
        node, stack = self.node, self.thread_ctx

        def bound(macros: dict[str, Any]) -> dict[str, Any]:
            found = {}
            for name, macro in macros.items():
                found[name] = one = MacroGenerator.__new__(MacroGenerator)
                one.__dict__ = {"context": context, "macro": macro, "node": node, "stack": stack}
            return found

        packages = {package: bound(macros) for package, macros in by_package.items()}
        internal: dict[str, Any] = {}
        for package in reversed(self.internal_package_names_order):
            internal |= packages.pop(package, {})
        return _Macros(internal, packages, self.root_package, self.search_package)

    _replace(MacroNamespaceBuilder, "build_namespace", build_namespace)


class _Raisers(dict[str, Any]):
    """What a macro may raise, by name, each wrapped when a macro asks for it: one in a hundred nodes does."""

    def __init__(self, exports: dict[str, Any], wrap: Callable[[Any], Any]) -> None:
        super().__init__(exports)
        self._wrap = wrap

    def __getitem__(self, name: str) -> Any:
        return self._wrap(super().__getitem__(name))


def _wrap_exceptions_when_raised() -> None:
    """dbt names the node in what a macro raises; the functions that do are made when one is asked for."""
    from dbt.context import exceptions_jinja, providers

    def wrapped_exports(model: Any) -> dict[str, Any]:
        return _Raisers(exceptions_jinja.CONTEXT_EXPORTS, exceptions_jinja.wrapper(model))

    _replace(providers, "wrapped_exports", wrapped_exports)


def _keep_contexts_of_macros() -> None:
    """The adapter's own macros (rename, drop, columns of a table) run in one context a run, not in one a call."""
    from dbt.adapters.base import BaseAdapter

    set_generator = BaseAdapter.set_macro_context_generator

    def set_keeping_generator(self: Any, generate: Callable[..., dict[str, Any]]) -> None:
        kept: dict[tuple[str, str | None], tuple[Any, dict[str, Any]]] = {}

        def context_of(macro: Any, config: Any, resolver: Any, package: str | None) -> dict[str, Any]:
            found = kept.get((macro.unique_id, package))
            if found is None or found[0] is not resolver:
                found = kept[macro.unique_id, package] = (resolver, generate(macro, config, resolver, package))
            return found[1]

        set_generator(self, context_of)

    _replace(BaseAdapter, "set_macro_context_generator", set_keeping_generator)


def _keep_types_of_results() -> None:
    """What kinds a result's columns may have is the same for every result; a type of agate builds a parser of dates."""
    from dbt_common.clients import agate_helper

    tester = functools.lru_cache(maxsize=256)(agate_helper.build_type_tester)

    def build_type_tester(text_columns: Iterable[str], string_null_values: Iterable[str] | None = ("null", "")) -> Any:
        return tester(tuple(text_columns), tuple(string_null_values) if string_null_values is not None else None)

    _replace(agate_helper, "build_type_tester", build_type_tester)
    _replace(agate_helper, "empty_table", functools.cache(agate_helper.empty_table))


def _compare_paths_as_text() -> None:
    """`--select path:` looks at every node's folders thrice a run: as text, not as objects."""
    from dbt.graph.selector_methods import PathSelectorMethod
    from dbt_common.events.contextvars import get_project_root

    def search(self: Any, included: set[str], selector: str) -> Iterator[str]:
        root = Path(get_project_root() or Path.cwd())  # type: ignore[no-untyped-call]
        paths = {found.relative_to(root).as_posix() for found in root.glob(selector)}

        def is_below(path: str) -> bool:
            return path in paths or any(path[:end] in paths for end, sign in enumerate(path) if sign == "/")

        for unique_id, node in self.all_nodes(included):
            described_in = getattr(node, "patch_path", None)
            if is_below(node.original_file_path) or (described_in and described_in.split("://")[1] in paths):
                yield unique_id

    _replace(PathSelectorMethod, "search", search)


def _compile_templates_once() -> None:
    """Equal texts of Jinja (of hooks, of tests, of yesterday's model in a process that builds again) are one code."""
    from dbt_common.clients.jinja import MacroFuzzEnvironment

    compiled: dict[tuple[type[Any], str], Any] = {}
    compile_anew = MacroFuzzEnvironment.compile

    def compile_once(self: Any, source: Any, *others: Any, **options: Any) -> Any:
        if others or options or not isinstance(source, str):
            return compile_anew(self, source, *others, **options)
        key = (type(self), source)
        if key not in compiled:
            compiled[key] = compile_anew(self, source)
        return compiled[key]

    _replace(MacroFuzzEnvironment, "compile", compile_once)
