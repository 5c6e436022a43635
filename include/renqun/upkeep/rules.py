"""How long what is kept: a shop's rules, with defaults."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Keeping(BaseModel):
    """What `maintenance` leaves. Ages are counted from the newest published business date, of files from today."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    marts_versions: int | None = Field(default=None, ge=1)
    """Newest versions of the marts; None: what RENQUN_KEEP_MARTS_VERSIONS says. The last of each month, the latest, and
    what an audience in use was made from stay in any case."""
    audience_days: int = Field(default=400, ge=31)
    """After its last day of use a version of an audience stays so long: a year and a month, to compare seasons."""
    results_days: int = Field(default=400, ge=7)
    """Verdicts of gates, records of builds, reports of restatement."""
    log_days: int = Field(default=30, ge=1)
    """Lines of runs; whoever asks for older ones asks too late to mend anything."""
    rejected_days: int = Field(default=90, ge=7)
    """Refused files: they hold rows of people, and a quarter is ample to export again."""
    incoming_days: int = Field(default=14, ge=2)
    """Batches that no gate has seen: an ingest waits two days at most. Their files still lie in the drop folder."""
    compact_from: float = Field(default=0.25, gt=0, le=1)
    """Share of free pages from which on the warehouse is written anew."""
