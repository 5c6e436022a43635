"""One dbt process: `python -m renqun.warehouse.dbt_process <dbt's arguments>`.

dbt's own command line writes its description of the whole project twice a run, which costs a small shop more than its
models do, and which nothing here reads. This one writes only what was run (`run_results.json`): it is what `dbt retry`
goes on from. Exit codes are dbt's: 0 all well, 1 a node failed, 2 dbt itself did.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str]) -> int:
    """Run dbt with these arguments, `--target-path` among them."""
    from dbt.cli.main import dbtRunner

    outcome = dbtRunner().invoke([*arguments, "--no-write-json"])
    if hasattr(outcome.result, "write"):
        target = Path(arguments[arguments.index("--target-path") + 1])
        outcome.result.write(str(target / "run_results.json"))
    if outcome.exception is not None:
        print(outcome.exception, flush=True)
        return 2
    return 0 if outcome.success else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
