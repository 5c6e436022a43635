"""The server's services, checked without a container engine: commands, environment, mounts, secrets, ports."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from renqun.errors import RequestError
from renqun.settings import PROJECT_ROOT

SECRETS = {
    "RENQUN_ADMIN_PASSWORD",
    "RENQUN_FERNET_KEY",
    "RENQUN_JWT_SECRET",
    "RENQUN_POSTGRES_PASSWORD",
    "RENQUN_SECRET_KEY",
}
AIRFLOW_SERVICES = {"api-server", "scheduler", "dag-processor", "triggerer"}
LASTING = {"postgres", "nginx", *AIRFLOW_SERVICES}
TELEMETRY_OFF = {
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "SCARF_ANALYTICS": "false",
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "GX_ANALYTICS_ENABLED": "false",
}
REFERENCE = re.compile(r"\$\{(?P<name>\w+)(?P<operator>:?[-?+])?(?P<rest>[^}]*)\}")


@pytest.fixture(scope="module")
def text() -> str:
    return (PROJECT_ROOT / "docker-compose.yml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def services(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text)["services"]
    return found


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (PROJECT_ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_services_are_those_of_an_airflow_with_a_database_and_a_door_of_its_own(services: dict[str, Any]) -> None:
    assert set(services) == {"init", *LASTING}


def test_commands_are_airflows_own(services: dict[str, Any]) -> None:
    from airflow.cli import cli_parser

    parser = cli_parser.get_parser()
    for name in AIRFLOW_SERVICES:
        command = " ".join(services[name]["command"])
        subcommand = re.search(r"airflow ([a-z-]+)", command)
        assert subcommand is not None, name
        assert subcommand[1] == name
        assert parser.parse_args([subcommand[1]]).func


def test_modules_that_commands_name_are_in_the_image(services: dict[str, Any], dockerfile: str) -> None:
    modules = {
        module
        for service in services.values()
        for module in re.findall(r"python -m ([a-z_.]+)", " ".join(service.get("command", [])))
    }
    assert modules
    for module in modules:
        assert (PROJECT_ROOT / "include" / module.replace(".", "/")).with_suffix(".py").is_file()
    assert "COPY include " in dockerfile


def test_secrets_come_from_the_environment_and_have_no_default(text: str) -> None:
    references = list(REFERENCE.finditer(text))
    required = {found["name"] for found in references if found["operator"] == ":?"}
    assert required == SECRETS
    for found in references:
        if found["name"] in SECRETS:
            assert found["operator"] == ":?", found[0]
            assert len(found["rest"].split()) > 1, f"{found[0]} does not say what to do"


def test_settings_that_sound_secret_hold_nothing_but_references(services: dict[str, Any]) -> None:
    seen = 0
    for service in services.values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD$|SECRET|KEY$|SQL_ALCHEMY_CONN", name):
                seen += 1
                assert REFERENCE.search(str(value)), name
    assert seen >= len(SECRETS)


def test_renqun_is_importable_and_the_dags_are_found(services: dict[str, Any], dockerfile: str) -> None:
    assert "WORKDIR /opt/renqun" in dockerfile
    copied = {line.split()[1] for line in dockerfile.splitlines() if line.startswith("COPY ")}
    for name in {"init", *AIRFLOW_SERVICES}:
        environment = services[name]["environment"]
        for variable, folder in (("PYTHONPATH", "include"), ("AIRFLOW__CORE__DAGS_FOLDER", "dags")):
            assert environment[variable] == f"/opt/renqun/{folder}"
            assert folder in copied
    assert (PROJECT_ROOT / "include" / "renqun" / "__init__.py").is_file()
    assert {"dbt_project", "expectations", "docs"} <= copied


def test_all_services_share_one_home_and_only_that(services: dict[str, Any], text: str) -> None:
    for name in {"init", *AIRFLOW_SERVICES}:
        assert services[name]["volumes"] == ["home:/srv/renqun"]
        assert services[name]["environment"]["RENQUN_HOME"] == "/srv/renqun"
    assert services["nginx"]["volumes"] == [
        "home:/srv/renqun:ro",
        "./include/server/nginx.conf:/etc/renqun/nginx.conf:ro",
    ]
    assert set(yaml.safe_load(text)["volumes"]) == {"home", "metadata"}


def test_telemetry_is_off_everywhere(services: dict[str, Any], dockerfile: str) -> None:
    for name in {"init", *AIRFLOW_SERVICES}:
        assert services[name]["environment"].items() >= TELEMETRY_OFF.items()
    for name, value in TELEMETRY_OFF.items():
        assert f"{name}={value}" in dockerfile


def test_ports_are_open_on_the_loopback_address_only_and_nginx_is_the_door(services: dict[str, Any]) -> None:
    assert [name for name, service in services.items() if "ports" in service] == ["nginx"]
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_services_start_only_after_the_one_shot_init(services: dict[str, Any]) -> None:
    assert services["init"]["restart"] == "no"
    for name in AIRFLOW_SERVICES:
        assert services[name]["depends_on"]["init"] == {"condition": "service_completed_successfully"}
        assert services[name]["depends_on"]["postgres"] == {"condition": "service_healthy"}


def test_every_service_says_how_it_is_and_what_it_may_use(services: dict[str, Any]) -> None:
    for name in LASTING:
        assert services[name]["healthcheck"]["test"][0] == "CMD", name
        assert services[name]["restart"] == "unless-stopped", name
    for name in services:
        limits = services[name]["deploy"]["resources"]["limits"]
        assert set(limits) == {"cpus", "memory", "pids"}, name


def test_nobody_is_root_or_may_become_it(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["user"] in ("10001:10001", "postgres"), name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_users_have_passwords_and_roles_of_their_own(services: dict[str, Any]) -> None:
    for name in {"init", *AIRFLOW_SERVICES}:
        environment = services[name]["environment"]
        assert environment["AIRFLOW__CORE__AUTH_MANAGER"].endswith("FabAuthManager")
        assert ("RENQUN_ADMIN_PASSWORD" in environment) == (name == "init")
        # Connections are seen by nobody but who stores them; where alerts go, by everybody else.
        file = "connections.env" if name == "init" else "operations.env"
        assert services[name]["env_file"] == [{"path": file, "required": False}]


def test_nginx_reaches_the_api_and_not_the_database(services: dict[str, Any]) -> None:
    assert services["nginx"]["networks"] == ["front"]
    assert [name for name, service in services.items() if "front" in service["networks"]] == ["api-server", "nginx"]
    assert services["postgres"]["networks"] == ["back"]


def test_airflow_knows_every_setting(services: dict[str, Any]) -> None:
    from airflow.configuration import conf

    known = {
        (section.lower(), option.lower())
        for section, options in conf.configuration_description.items()
        for option in options["options"]
    }
    named = {name for name in services["scheduler"]["environment"] if name.startswith("AIRFLOW__")}
    assert named
    # Airflow reads the switch of its telemetry without describing it.
    for name in named - set(TELEMETRY_OFF):
        _, section, option = name.lower().split("__", 2)
        assert (section, option) in known, name


def test_image_runs_as_nobody_special_from_hashed_packages(dockerfile: str) -> None:
    assert re.search(r"^FROM python:3\.\d+-slim$", dockerfile, re.MULTILINE)
    assert "--require-hashes --only-binary :all: -r requirements.lock" in dockerfile
    user = dockerfile.index("\nUSER renqun")
    assert "\nRUN " not in dockerfile[user:]
    assert "USER root" not in dockerfile


GOOD = {
    "RENQUN_ADMIN_PASSWORD": "a" * 12,
    "AIRFLOW__API_AUTH__JWT_SECRET": "b" * 32,
    "AIRFLOW__API__SECRET_KEY": "c" * 32,
    "AIRFLOW__CORE__FERNET_KEY": "ZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmY=",
}


@pytest.mark.parametrize("name", GOOD)
def test_a_secret_that_protects_nothing_is_refused_and_not_told(name: str) -> None:
    from renqun.airflow.server_init import check_secrets

    check_secrets(GOOD)
    for value in ("", "hunter2"):
        with pytest.raises(RequestError, match=r"RENQUN_[A-Z_]+ (has fewer than|is no Fernet key)") as refused:
            check_secrets({**GOOD, name: value})
        assert "hunter2" not in str(refused.value)


def test_health_of_a_component_is_what_airflow_says(monkeypatch: pytest.MonkeyPatch) -> None:
    from renqun.airflow.health import health_page, state_of

    said = {"scheduler": {"status": "unhealthy"}, "triggerer": {"status": None}, "metadatabase": {"status": "healthy"}}
    assert [state_of(name, said) for name in ("metadatabase", "scheduler", "triggerer", "dag_processor")] == [
        "healthy", "unhealthy", "unknown", "unknown",
    ]  # fmt: skip
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", "http://api-server:8080/execution/")
    assert health_page() == "http://api-server:8080/api/v2/monitor/health"
