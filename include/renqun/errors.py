"""Errors that an operator can act on: what happened, where, and what to do."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the `renqun` command."""

    DONE = 0
    HELD_BACK = 1
    BAD_REQUEST = 2
    TECHNICAL = 3


class RenqunError(Exception):
    """Base of all errors that Renqun raises on purpose.

    Args:
        what: one sentence that says what happened.
        where: file, row, table or task it happened in.
        remedy: what the operator does next.
    """

    exit_code: ExitCode = ExitCode.TECHNICAL

    def __init__(self, what: str, *, where: str | None = None, remedy: str | None = None) -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        super().__init__(what, where, remedy)

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where:   {self.where}")
        if self.remedy:
            lines.append(f"  to do:   {self.remedy}")
        return "\n".join(lines)


class RequestError(RenqunError):
    """The request, a setting or an input file is wrong or missing."""

    exit_code = ExitCode.BAD_REQUEST


class GateFailed(RenqunError):
    """A gate stopped the run; what was published before is untouched.

    Args:
        what: as of every error.
        where: as of every error.
        remedy: as of every error.
        gate: the gate's stage, where it was one of the five.
        subject: what of several it looked at: a group of exports, or an audience.
        checks: the ids of the checks that failed.
        runbook: the page that all of these checks name.
    """

    exit_code = ExitCode.HELD_BACK

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        remedy: str | None = None,
        gate: str | None = None,
        subject: str | None = None,
        checks: tuple[str, ...] = (),
        runbook: str | None = None,
    ) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.gate = gate
        self.subject = subject
        self.checks = checks
        self.runbook = runbook


class TechnicalError(RenqunError):
    """Something outside the data failed: disk, process, database."""

    exit_code = ExitCode.TECHNICAL


class ShopBusy(TechnicalError):
    """Another process is at work on the same shop."""


class BuildSuperseded(TechnicalError):
    """Another run has taken over the shop's warehouse since this build began."""


class AlreadyBuilt(TechnicalError):
    """Another run has finished this very build."""
