"""An Open Data Contract (ODCS v3) of every version of an audience: its manifest in a form that tools know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from renqun.publish.history import AudienceFolder, AudienceVersion
from renqun.publish.manifest import AudienceManifest, FileEntry
from renqun.storage import write_text_atomically

API_VERSION = "v3.0.2"
CONTRACTS_FOLDER = "contracts"
_LOGICAL = {"VARCHAR": "string", "DATE": "date", "TIMESTAMP": "date", "BOOLEAN": "boolean", "BIGINT": "integer"}
_FILES = {
    "members": "Everybody whom the audience means and who may be addressed, each once.",
    "canonical": "The same people for the shop's own systems.",
    "added": "Who is new since the version before.",
    "removed": "Who was in the version before and is not any more: to be removed downstream.",
    "holdout": "Who is kept out so that the effect can be measured: never to be addressed.",
    "contacted": "Who gets a message of their own, and by which destination.",
    "triggers": "Messages that are due, each once for ever: whom, about what, by which way, from when on.",
}
_COLUMNS = {
    "customer_key": "The person, a hash of the identity.",
    "entered_on": "Business date since when the rules hold.",
    "reason": "JSON: the facts that put the person in.",
    "destination": "Where the person is written to.",
    "dedupe_key": "Names the message for ever: who has sent it once never sends it again.",
    "fact": "What happened.",
    "fact_key": "To which order, item, segment or day.",
    "channel": "By which way the message goes.",
    "offer": "What it offers, by the name that the sending system knows.",
    "is_late": "Whether it was due before the business date had ended: to be sent at once, within the sending hours.",
    "fact_at": "When it happened, UTC.",
    "due_at": "From when on the message may go out, UTC.",
}


def contract_of(manifest: AudienceManifest, *, is_withdrawn: bool = False) -> dict[str, Any]:
    """The contract of a version; equal manifests give equal contracts."""
    delivered = {
        name: destination
        for destination, delivery in manifest.deliveries.items()
        for name in (*delivery.full, *delivery.append, *delivery.reduce)
    }
    limitations = f"Not to be used after {manifest.expires_on}. Nobody but the people of its files may be addressed."
    return {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": f"urn:renqun:{manifest.shop_id}:audience:{manifest.audience_id}",
        "name": f"{manifest.name_en} ({manifest.name_zh})",
        "version": f"{manifest.as_of}+{manifest.version}",
        "status": "retired" if is_withdrawn else "active",
        "domain": "audiences",
        "dataProduct": manifest.audience_id,
        "tenant": manifest.shop_id,
        "description": {
            "purpose": manifest.purpose,
            "usage": "Check it with `renqun verify` before use; the manifest beside the files holds their checksums.",
            "limitations": limitations,
        },
        "servers": [
            {
                "server": "published",
                "type": "local",
                "path": f"as_of={manifest.as_of}/{manifest.version}/",
                "format": "parquet, csv, txt, zip",
            }
        ],
        "schema": [_schema_of(name, entry, delivered.get(name)) for name, entry in sorted(manifest.files.items())],
        "team": [{"username": manifest.owner, "role": "owner"}],
        "slaProperties": _promises(manifest),
        "customProperties": [
            {"property": "definitionHash", "value": manifest.definition_hash},
            {"property": "asOf", "value": manifest.as_of.isoformat()},
            {"property": "martsVersion", "value": manifest.marts.version},
        ],
    }


def contract_text(manifest: AudienceManifest, *, is_withdrawn: bool = False) -> str:
    """The contract as it is written."""
    contract = contract_of(manifest, is_withdrawn=is_withdrawn)
    return str(yaml.safe_dump(contract, allow_unicode=True, sort_keys=False, width=120))


def contract_file(folder: AudienceFolder, version: str) -> Path:
    """Where the contract of a version is: beside the dates, because a version's own folder never changes."""
    return folder.root / CONTRACTS_FOLDER / f"{version}.odcs.yaml"


def write_contract(folder: AudienceFolder, version: AudienceVersion) -> Path:
    """Write the contract of a version, where it is not there as it must be."""
    file = contract_file(folder, version.version)
    text = contract_text(version.manifest, is_withdrawn=folder.withdrawal_folder(version.version).is_dir())
    if not file.is_file() or file.read_text(encoding="utf-8") != text:
        write_text_atomically(file, text)
    return file


def _schema_of(name: str, entry: FileEntry, destination: str | None) -> dict[str, Any]:
    stem = name.partition(".")[0]
    says = f"What {destination} gets, as it asks for it." if destination else _FILES.get(stem, "A list of the version.")
    return {
        "name": name,
        "physicalName": name,
        "physicalType": "file",
        "logicalType": "object",
        "description": says,
        "properties": [
            _property_of(column, kind, is_personal=destination is not None) for column, kind in entry.columns
        ],
        "quality": [{"type": "library", "rule": "rowCount", "mustBe": entry.rows, "unit": "rows"}],
    }


def _property_of(column: str, kind: str, *, is_personal: bool) -> dict[str, Any]:
    told = {"name": column, "logicalType": _LOGICAL.get(kind, "string"), "physicalType": kind}
    if column in _COLUMNS:
        told["description"] = _COLUMNS[column]
    return told | {"classification": "restricted" if is_personal else "internal"}


def _promises(manifest: AudienceManifest) -> list[dict[str, Any]]:
    promises: list[dict[str, Any]] = [
        {"property": "frequency", "value": 1, "unit": "d"},
        {"property": "endOfUse", "value": manifest.expires_on.isoformat()},
    ]
    if manifest.trigger:
        of_data = manifest.trigger.data_as_of.isoformat()
        promises += [
            {"property": "dataAsOf", "value": of_data, "element": "triggers.parquet.due_at"},
            {"property": "latency", "value": manifest.trigger.longest_lateness_seconds, "unit": "s"},
        ]
    return promises
