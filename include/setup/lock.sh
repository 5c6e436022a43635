#!/usr/bin/env bash
# Resolve requirements.lock and requirements-bench.lock anew from pyproject.toml, with hashes and without any index's address.
set -euo pipefail

if ! command -v uv >/dev/null; then
  echo "'make lock' needs uv, the resolver. Install it, then run this again." >&2
  exit 2
fi
compile=(uv pip compile --quiet --universal --python-version 3.11 --generate-hashes
  --no-strip-extras --no-header --no-emit-index-url --no-emit-find-links pyproject.toml)
"${compile[@]}" --extra dev --output-file requirements.lock
"${compile[@]}" --extra dev --extra bench --constraint requirements.lock --output-file requirements-bench.lock
echo "Locked. Now 'make test', and commit both files together with pyproject.toml."
