"""How a tester installs a candidate: one command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway.decide.versioning import named_version


def pip_command(staged: Mapping[str, Any]) -> str:
    """The pip command of a ``staged`` entry's payload; what the candidate requires comes from where it always does."""
    files = sorted((str(f["file"]) for f in staged.get("files", ())), key=lambda f: not f.endswith(".whl"))
    file = files[0] if files else ""
    version = named_version(file)
    if version is None:
        return ""
    project = file.partition("-")[0] if file.endswith(".whl") else file.rpartition("-")[0]
    return f"pip install --extra-index-url {staged['index']} {project.replace('_', '-')}=={version}"
