#!/usr/bin/env bash
# Resolve requirements.lock, requirements-bench.lock, requirements-peers.lock and requirements-objects.lock anew from
# pyproject.toml, with hashes and without any index's address.
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
extra() {
  "${PYTHON:-python3}" -c 'import sys, tomllib
print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"][sys.argv[1]], sep="\n")' "$1"
}
extra peers |
  uv pip compile "${options[@]}" --no-deps - --output-file requirements-peers.lock
# The S3 server of tests, with what it needs: laid over an environment of requirements.lock.
extra objects |
  uv pip compile "${options[@]}" --constraint requirements.lock - --output-file requirements-objects.lock
echo "Locked. Now 'make test', and commit all of them together with pyproject.toml."
