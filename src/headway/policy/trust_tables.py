"""The tables of a policy about what tells where a release comes from, and about its release object (N1, B5)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from headway.policy.table import Table

Wish = Literal["no", "if-possible", "required"]
Signing = Literal["auto", "always", "never"]


class Documents(Table):
    """N1: what is written of a candidate's files when their test has passed."""

    sbom: bool = Field(
        True, description="A CycloneDX bill of materials for each wheel: what was installed with it in its test."
    )
    provenance: bool = Field(
        True, description="A SLSA provenance statement of all files: commit, command, times, and the ledger's head."
    )
    builder: str = Field(
        "urn:headway:builder",
        description="URI of who builds (`builder.id` of SLSA): those who check provenance trust this one.",
    )
