"""What has to be there before Airflow's services start on a server. Doing it again changes nothing."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path


def main() -> None:
    """The home, the metadata's tables, a pool for each shop, the password of the web page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pools-only", action="store_true", help="only the pools of the shops")
    pools_only = parser.parse_args().pools_only
    if not pools_only:
        subprocess.run([sys.executable, "-m", "renqun.cli", "init"], check=True)
        subprocess.run(["airflow", "db", "migrate"], check=True)
        write_password(
            Path(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"]), os.environ["RENQUN_ADMIN_PASSWORD"]
        )
    make_pools()


def write_password(file: Path, password: str) -> None:
    """The password of `admin`, in the file that Airflow's simple auth manager reads; for the owner's eyes only."""
    file.parent.mkdir(parents=True, exist_ok=True)
    written = file.with_name(f".{file.name}.tmp")
    written.unlink(missing_ok=True)
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump({"admin": password}, stream)
    written.replace(file)


def make_pools() -> None:
    """The one-slot pool of each shop in which its writers queue."""
    from renqun.airflow.pools import ensure_pools
    from renqun.settings import Home

    print("pools:", ", ".join(ensure_pools(Home.from_environment().shops())))


if __name__ == "__main__":
    main()
