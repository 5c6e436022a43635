"""What has to be there before Airflow's services start on a server. Doing it again changes nothing."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping

from renqun.errors import RenqunError, RequestError

ADMIN = "admin"
_LEAST_LENGTH = {
    "RENQUN_ADMIN_PASSWORD": 12,
    "AIRFLOW__API_AUTH__JWT_SECRET": 32,
    "AIRFLOW__API__SECRET_KEY": 32,
}
"""Shorter ones are guessed: a password by trying, keys of signatures by computing."""
_NAMES = {"AIRFLOW__API_AUTH__JWT_SECRET": "RENQUN_JWT_SECRET", "AIRFLOW__API__SECRET_KEY": "RENQUN_SECRET_KEY"}
_CONNECTION = "AIRFLOW_CONN_"


def main() -> None:
    """The home, the metadata's tables, the administrator, pools, connections, the models' documentation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pools-only", action="store_true", help="only the pools of the shops")
    pools_only = parser.parse_args().pools_only
    try:
        if not pools_only:
            check_secrets(os.environ)
            subprocess.run([sys.executable, "-m", "renqun.cli", "init"], check=True)
            subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True)
            print("administrator:", ensure_admin(os.environ["RENQUN_ADMIN_PASSWORD"]))
            print("connections:", ", ".join(ensure_connections(os.environ)) or "none given")
        make_pools()
        if not pools_only:
            from renqun.airflow.models_page import ensure_models_page
            from renqun.settings import Home

            print("documentation of the models:", ensure_models_page(Home.from_environment()))
    except RenqunError as error:
        print(f"the server does not start: {error}", file=sys.stderr)
        sys.exit(int(error.exit_code))


def check_secrets(environment: Mapping[str, str]) -> None:
    """Refuse secrets that protect nothing.

    Raises:
        RequestError: one is missing or too short, or the Fernet key is none; names it, never its value.
    """
    from cryptography.fernet import Fernet

    for variable, least in _LEAST_LENGTH.items():
        if len(environment.get(variable, "")) < least:
            name = _NAMES.get(variable, variable)
            raise RequestError(
                f"{name} has fewer than {least} characters",
                remedy=f'make one: echo "{name}=$(openssl rand -hex 32)" >> .env',
            )
    try:
        Fernet(environment.get("AIRFLOW__CORE__FERNET_KEY", ""))
    except ValueError as error:
        raise RequestError(
            "RENQUN_FERNET_KEY is no Fernet key",
            remedy="make one: echo \"RENQUN_FERNET_KEY=$(openssl rand 32 | base64 | tr '+/' '-_')\" >> .env",
        ) from error


def ensure_admin(password: str) -> str:
    """The user `admin` of the web page and its API, with this password; says what was done.

    The password never shows in a list of processes, as it would on a command line.
    """
    from airflow.providers.fab.auth_manager.models import User
    from airflow.utils.session import create_session
    from sqlalchemy import select
    from werkzeug.security import check_password_hash

    with create_session() as session:
        user = session.scalar(select(User).where(User.username == ADMIN))
        user_id = None if user is None else user.id
        if user is not None and user.password and check_password_hash(user.password, password):
            return "is there"
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as builder:
        manager = builder.sm
        if user_id is not None:
            manager.reset_password(user_id, password)
            return "has a new password"
        if not manager.add_user(
            ADMIN, "Renqun", "Administrator", f"{ADMIN}@localhost", manager.find_role("Admin"), password
        ):
            raise RequestError(f"the user {ADMIN!r} could not be made", remedy="the log above says why")
        return "made"


def ensure_connections(environment: Mapping[str, str]) -> list[str]:
    """Store the connections given as `AIRFLOW_CONN_<ID>`, encrypted in the metadata; returns the ids given.

    Only this process has them in its environment, no task inherits them. One that is there stays as it is: an
    operator may have changed it on the web page.
    """
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session
    from sqlalchemy import select

    given = {
        name.removeprefix(_CONNECTION).lower(): value
        for name, value in sorted(environment.items())
        if name.startswith(_CONNECTION) and value
    }
    with create_session() as session:
        for connection_id, uri in given.items():
            if session.scalar(select(Connection.id).where(Connection.conn_id == connection_id)) is None:
                session.add(Connection(conn_id=connection_id, uri=uri))
    return list(given)


def make_pools() -> None:
    """The one-slot pool of each shop in which its writers queue."""
    from renqun.airflow.pools import ensure_pools
    from renqun.settings import Home

    print("pools:", ", ".join(ensure_pools(Home.from_environment().shops())))


if __name__ == "__main__":
    main()
