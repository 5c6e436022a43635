#!/usr/bin/env bash
# Resolve requirements.lock, requirements-bench.lock and requirements-peers.lock anew from pyproject.toml, with hashes and
# without any index's address.
set -euo pipefail

if ! command -v uv >/dev/null; then
  echo "'make lock' needs uv, the resolver. Install it, then run this again." >&2
  exit 2
fi
options=(--quiet --universal --python-version 3.11 --generate-hashes
  --no-strip-extras --no-header --no-emit-index-url --no-emit-find-links)
compile=(uv pip compile "${options[@]}" pyproject.toml)
"${compile[@]}" --extra dev --output-file requirements.lock
"${compile[@]}" --extra dev --extra bench --constraint requirements.lock --output-file requirements-bench.lock
# The peers alone: tests read their files and import nothing, so that nothing that they need comes along.
"${PYTHON:-python3}" -c 'import tomllib
print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["peers"], sep="\n")' |
  uv pip compile "${options[@]}" --no-deps - --output-file requirements-peers.lock
echo "Locked. Now 'make test', and commit all of them together with pyproject.toml."
