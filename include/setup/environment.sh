#!/usr/bin/env bash
# Bring .venv to what a lock file says. Where it is there already, this ends at once.
#
# usage: environment.sh LOCK      (PYTHON names the interpreter that a new environment is made from)
#
# The stamp `.venv/.ready-<lock>` holds the lock's hash and is written last: an interrupted set-up has none and is
# done again. `.venv/.unfinished` marks packages that may be half-written: such an environment is made from scratch.
set -euo pipefail

lock=$1
python=${PYTHON:-python3}
venv=.venv
stamp=$venv/.ready-$(basename "$lock")
unfinished=$venv/.unfinished

sha256() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1; }
# An environment knows its own path and cannot be moved, hence the path beside the hash.
wanted="$(cat "$lock" pyproject.toml | sha256) $PWD"

if [ -x "$venv/bin/python" ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
  exit 0
fi

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "Renqun needs Python 3.11 or newer; '$python' is $("$python" --version 2>&1 || true)." >&2
  echo "Name another one:  make PYTHON=/path/to/python3.12 setup" >&2
  exit 2
fi
if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
  echo "'$python' cannot make environments: its modules venv and ensurepip are missing." >&2
  echo "Install them (on Debian and Ubuntu: the package python3-venv), then run this again." >&2
  exit 2
fi

began=$SECONDS
made_here() { [ ! -f "$stamp" ] || [ "$(cut -d ' ' -f 2- "$stamp")" = "$PWD" ]; }
if [ -e "$unfinished" ] || ! made_here; then
  "$python" -m venv --clear "$venv"
elif ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
  "$python" -m venv "$venv"
fi

echo "Setting up .venv: $(grep -cE '^[A-Za-z0-9]' "$lock") packages of $lock. Once only, about 2 minutes ..."
rm -f "$stamp"
touch "$unfinished"
install=("$venv/bin/python" -m pip install -qq --no-compile --no-deps)
if ! "${install[@]}" --require-hashes --only-binary :all: -r "$lock"; then
  echo "The packages of $lock could not be installed: see pip's message above." >&2
  echo "pip needs a package index that it can reach ('$venv/bin/python -m pip config list' shows which)." >&2
  exit 3
fi
"${install[@]}" --no-build-isolation -e .
# On all cores, which pip itself does on one. Some packages ship templates that are no Python: their complaint is no failure.
"$venv/bin/python" -m compileall -q -j 0 "$venv"/lib/python*/site-packages >/dev/null 2>&1 || true
rm -f "$unfinished"
printf '%s\n' "$wanted" > "$stamp"
echo "Set up in $((SECONDS - began)) s."
