"""Where audiences go: one small description a destination, of its file, its identifiers and its limits."""

from __future__ import annotations

from renqun.publish.destinations.destination import Channel, Destination, NameLimit, is_contact
from renqun.publish.destinations.registry import DESTINATIONS, destination

__all__ = ["DESTINATIONS", "Channel", "Destination", "NameLimit", "destination", "is_contact"]
