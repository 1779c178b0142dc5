#!/bin/sh
# Sets up the environment given as $1 from requirements.lock. Needs Python 3.11 or newer and a package index.
set -eu
venv=$1
python=${PYTHON:-python3}
say() { printf 'headway setup: %s\n' "$*" >&2; }

"$python" - <<'PY' || { say "Python 3.11 or newer is needed (set PYTHON=/path/to/python3.11)"; exit 2; }
import sys
sys.exit(sys.version_info < (3, 11))
PY
say "making $venv with $("$python" --version 2>&1)"
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv" || { say "python's venv module is missing (Debian: apt install python3-venv)"; exit 2; }
pin=$(sed -n 's/^uv==\([^ ;]*\).*/\1/p' requirements.lock)
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$pin"
# A mirror that pip is told of is used by uv too.
if [ -z "${UV_DEFAULT_INDEX:-}" ]; then
  mirror=${PIP_INDEX_URL:-$("$venv/bin/python" -m pip config get global.index-url 2>/dev/null || true)}
  [ -z "$mirror" ] || { UV_DEFAULT_INDEX=$mirror; export UV_DEFAULT_INDEX; }
fi
say "installing locked dependencies"
VIRTUAL_ENV=$venv "$venv/bin/uv" pip install --quiet --require-hashes -r requirements.lock
VIRTUAL_ENV=$venv "$venv/bin/uv" pip install --quiet --no-deps --editable .
say "ready"
