"""`python -m renqun.airflow.health COMPONENT`: ends with 0 where Airflow's own health says that this component works.

One look at the API's health page in place of a start of Airflow: a check every few seconds must cost next to nothing.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from urllib.parse import urlsplit

COMPONENTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")
_ANSWER_SECONDS = 8.0


def state_of(component: str, said: dict[str, dict[str, str | None]]) -> str:
    """What the health page says of a component: `healthy`, `unhealthy`, or `unknown` where it never gave a sign."""
    return said.get(component, {}).get("status") or "unknown"


def health_page() -> str:
    """The address of the health page, from the API's address that tasks are given."""
    api = urlsplit(os.environ["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"])
    return f"{api.scheme}://{api.netloc}/api/v2/monitor/health"


def main() -> int:
    """0 healthy, 1 not, 2 not a component."""
    component = sys.argv[1] if len(sys.argv) == 2 else ""
    if component not in COMPONENTS:
        print(f"give one of {', '.join(COMPONENTS)}", file=sys.stderr)
        return 2
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(health_page(), timeout=_ANSWER_SECONDS) as answer:
            state = state_of(component, json.load(answer))
    except (OSError, ValueError) as error:
        state = f"not to be asked: {error}"
    print(f"{component}: {state}")
    return 0 if state == "healthy" else 1


if __name__ == "__main__":
    sys.exit(main())
