"""The tables of a policy about how a candidate becomes the release, and where testers get it (B4, B5)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from headway.policy.table import Table, Words


class Promotion(Table):
    """B5: what is published of the accepted candidate."""

    mode: Literal["same-bytes", "repack"] = Field(
        "same-bytes",
        description="`same-bytes`: candidates are built under the final version, and the accepted one's files are "
        "published as they are. `repack`: candidates are X.Y.ZrcN and published as pre-releases (those of a post "
        "release are X.Y.Z.postN.devM), and the release is the accepted one with nothing changed but its version.",
    )
    version_files: Words = Field(
        (),
        description="Patterns (as in `.gitignore`) of files in wheels and source archives that carry the version, "
        "beside METADATA and RECORD, such as `_version.py`; for `repack`.",
    )


class Staging(Table):
    """B4: where testers install a candidate from; with `same-bytes`, each has an index of its own."""

    path: str = Field(
        "",
        description="Folder with an index for each candidate, from the repository's state folder; empty: `staging`.",
    )
    url: str = Field(
        "",
        description="Address at which people see a candidate's index, when the folder is served; field: {tag}, such as "
        "`https://staging.example/{tag}/simple/`. Empty: the folder itself.",
    )
