"""The JSON schemas that are published in `schemas/`: what definitions may say, and manifests do."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from renqun.errors import RequestError
from renqun.publish.catalogue_file import AudienceCatalogue
from renqun.publish.definitions import Audience
from renqun.publish.manifest import SCHEMA_VERSION, AudienceManifest, MartsManifest, Pointer
from renqun.storage import canonical_json

FOLDER = Path(__file__).resolve().parent / "schemas"
_MODELS: dict[str, type[BaseModel]] = {
    "audience-definition": Audience,
    "audience-manifest": AudienceManifest,
    "audience-pointer": Pointer,
    "audience-catalogue": AudienceCatalogue,
    "marts-manifest": MartsManifest,
}


def json_schemas() -> dict[str, str]:
    """Every schema by the name of its file."""
    return {f"{name}.v{SCHEMA_VERSION}.json": json_schema(name) for name in _MODELS}


def json_schema(name: str) -> str:
    """One schema by what it describes.

    Raises:
        RequestError: there is none of that name.
    """
    if name not in _MODELS:
        raise RequestError(
            f"there is no schema of {name!r}", where=str(FOLDER), remedy=f"known schemas: {', '.join(sorted(_MODELS))}"
        )
    schema = _MODELS[name].model_json_schema(by_alias=True)
    return canonical_json({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
