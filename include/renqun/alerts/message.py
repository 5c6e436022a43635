"""One message to an operator, before any channel gives it a form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from renqun.redaction import redact
from renqun.settings import Channel

Kind = Literal["stopped", "late", "mended"]

_LONGEST_WHAT = 1500


class AlertSettings(BaseSettings):
    """Settings of alerts that hold for all shops, from the environment (`RENQUN_*`)."""

    model_config = SettingsConfigDict(env_prefix="RENQUN_")

    alerts: tuple[Channel, ...] = ()
    """Channels of shops that name none of their own, as JSON like `alerts` in `shops.yml`."""
    runbooks_url: str = ""
    """Where a browser finds the folder of the project; empty: messages name the path in the repository."""
    alert_timeout_seconds: float = Field(default=10.0, gt=0, le=60)
    """How long a message may take; the task that tells it waits no longer."""


@dataclass(frozen=True)
class Alert:
    """What happened, where, in numbers, and what to do. Holds no personal data: texts are redacted on the way in."""

    kind: Kind
    shop_id: str
    ds: date | None
    cause: str
    """The same for everything that has one cause: a day tells each once."""
    headline: str
    what: str = ""
    dag: str = ""
    task: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    remedy: str = ""
    runbook: str = ""
    """`docs/runbooks/<page>.md`."""

    def __post_init__(self) -> None:
        what = redact(self.what)
        if len(what) > _LONGEST_WHAT:
            what = what[:_LONGEST_WHAT].rstrip() + " …"
        object.__setattr__(self, "what", what)
        object.__setattr__(self, "headline", redact(self.headline))
        object.__setattr__(self, "remedy", redact(self.remedy))
        object.__setattr__(self, "facts", {name: redact(value) for name, value in self.facts.items()})

    @property
    def title(self) -> str:
        """One line; begins with the word that a robot's keyword filter can be given."""
        return " ".join(("renqun", self.shop_id, *([str(self.ds)] if self.ds else []))) + f": {self.headline}"

    def lines(self) -> list[tuple[str, str]]:
        """Label and text of everything below the title, but the runbook."""
        place = f"{self.dag} / {self.task}" if self.task else self.dag
        found = [("What", self.what), ("Where", place), *self.facts.items(), ("To do", self.remedy)]
        return [(label, text) for label, text in found if text]

    def link(self, base: str) -> str:
        """Where the runbook is."""
        return f"{base.rstrip('/')}/{self.runbook}" if base and self.runbook else self.runbook

    def as_text(self, base: str) -> str:
        """The body without any markup."""
        told = [*self.lines(), *([("Runbook", self.link(base))] if self.runbook else [])]
        return "\n".join(f"{label}: {text}" for label, text in told)
