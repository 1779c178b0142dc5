"""The tables of a policy about promotion and publication (G1, N1, N2, V4)."""

from __future__ import annotations

from pydantic import Field

from headway.policy.table import CategoryName, NotNegative, Positive, Table, Words
from headway.policy.trust_tables import Wish


class Gate(Table):
    """Who may approve a gate, and how many must."""

    people: Words = Field((), description="Names that count; empty: anybody.")
    count: Positive = Field(1, description="How many different people.")


class Post(Table):
    """V4, C2: post releases."""

    categories: tuple[CategoryName, ...] = Field(
        ("regression", "critical", "new-feature-fix", "release-branch"),
        description="What a post release may hold: fixes only (V4).",
    )


class Waivers(Table):
    """Which waits a named person may waive."""

    clauses: Words = Field((), description="Clause ids, `cell` for a performance cell, `gate` for one of [[gates]].")
    people: Words = Field((), description="Names that may; empty: anybody.")


class Index(Table):
    """N1: where artifacts are published."""

    path: str = Field(
        "",
        description="Folder of the static index, from the repository's state folder; used when upload_url is empty.",
    )
    upload_url: str = Field(
        "",
        description="Upload address of a package index (twine; its credentials come from twine's own settings).",
    )
    simple_url: str = Field("", description="The same index's simple page, from which a publication is read back.")
    trusted_publishing: Wish = Field(
        "no",
        description="Whether the upload goes by a short-lived token that the index gives for the identity (OIDC) of "
        "the CI job that Headway runs in, instead of twine's credentials; `if-possible`: by those where there is none.",
    )
    attestations: Wish = Field(
        "no",
        description="Whether each file is uploaded with a PEP 740 attestation, signed for the same identity through "
        "Sigstore (needs `headway[attestations]`); `if-possible`: without where there is none.",
    )
    timeout_s: Positive = Field(1800, description="Limit of the upload of one file.")
    settle_s: NotNegative = Field(30, description="How long the index may take to show what was uploaded.")
    file_limit_mb: NotNegative = Field(
        100, description="Largest file that the index takes, in MB of 1024 × 1024 bytes (100 on PyPI); 0: no limit."
    )


class LedgerTable(Table):
    """Where the record is kept."""

    url: str = Field("", description="SQLAlchemy URL; empty: SQLite in the repository's state folder.")
