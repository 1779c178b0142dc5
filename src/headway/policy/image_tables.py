"""The table of a policy about container images (B4, N1, V5), and the names that its templates give."""

from __future__ import annotations

from pydantic import Field

from headway.model.image import ImageQuery
from headway.policy.table import Table, Words


class ImageTable(Table):
    """B4, N1: a container image that belongs to every candidate and is released with it.

    It is pushed by whatever builds it; Headway finds it by ``candidate_tag`` and promotes the very manifest that was
    tested. Fields of ``candidate_tag``: {version} {n} {tag} {commit}, of ``version_tag``: {version}.
    """

    name: str = Field(description="Registry and repository, such as `registry.example.org/team/engine`.")
    candidate_tag: str = Field("{version}-rc{n}", description="Tag under which a candidate's image is pushed (B4).")
    version_tag: str = Field("v{version}", description="Tag under which it is released; never moved (V5).")
    latest: str = Field(
        "latest", description="Tag that follows the greatest release and never goes back (V5); empty: none."
    )
    platforms: Words = Field(
        ("linux/amd64",), description="Platforms that it must have, as os/architecture or os/architecture/variant."
    )
    username_env: str = Field(
        "", description="Environment variable with the user's name; empty: docker's own `config.json`."
    )
    password_env: str = Field("", description="Environment variable with the password or token.")
    insecure: bool = Field(False, description="HTTP without TLS, only for a registry on loopback.")

    def candidate(self, version: str, number: int, tag: str, commit: str) -> str:
        """The tag of a candidate's image."""
        values = {"{version}": version, "{n}": str(number), "{tag}": tag, "{commit}": commit}
        found = self.candidate_tag
        for name, value in values.items():
            found = found.replace(name, value)
        return found

    def final(self, version: str) -> str:
        """The tag of a release's image."""
        return self.version_tag.replace("{version}", version)

    def query(self, reference: str, *, whole: bool = False) -> ImageQuery:
        """How a tag of it is asked for."""
        return ImageQuery(self.name, reference, whole, self.insecure, self.username_env, self.password_env)
