#!/bin/sh
# Writes requirements.lock: every dependency, of users and of the tests, with hashes and for every platform.
set -eu
uv=$1/bin/uv
"$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
  --no-header --extra postgresql --group dev pyproject.toml -o requirements.lock
