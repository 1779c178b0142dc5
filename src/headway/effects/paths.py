"""Where Headway keeps what is its own: everything lies under the repository's state folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class StatePaths:
    """Folders under ``root``. Tag names may hold slashes; a folder name may not."""

    root: Path

    def artifacts(self, tag: str) -> Path:
        return self.root / "artifacts" / _name(tag)

    def documents(self, tag: str) -> Path:
        return self.root / "documents" / _name(tag)

    def repacked(self, tag: str) -> Path:
        """The release's files that were made from a candidate's."""
        return self.root / "repacked" / _name(tag)

    def staging(self, folder: str, tag: str) -> Path:
        """A candidate's index for testers."""
        return self.root / (folder or "staging") / _name(tag)

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def log(self, what: str, step: str) -> Path:
        return self.logs / f"{_name(what)}-{step}.log"

    def sent(self, build: str) -> Path:
        """Says when a CI was asked for a build, for who finds neither an answer nor a run."""
        return self.root / "sent" / _name(build)

    def work(self, what: str) -> Path:
        return self.root / "work" / _name(what)

    @property
    def heard(self) -> Path:
        """Says up to when all comments of the forge were read and answered."""
        return self.root / "heard.json"

    @property
    def labels(self) -> Path:
        """The labels of pull requests, as the notes tell of them."""
        return self.root / "labels.json"

    @property
    def noticed(self) -> Path:
        """Since when things wait for people, and of which they were told."""
        return self.root / "noticed.json"

    @property
    def answers(self) -> Path:
        """What GitHub said last, to be asked for again only if it changed."""
        return self.root / "github"

    @property
    def environments(self) -> Path:
        """What was installed to be measured, each in a folder named by its wheel's digest."""
        return self.root / "environments"

    @property
    def fleet(self) -> Path:
        """Jobs and results of blocks on other hosts, which may see this folder too."""
        return self.root / "fleet"

    def probe(self, commit: str, version: str) -> Path:
        return self.root / "probes" / f"{commit}-{_name(version)}"

    @property
    def baselines(self) -> Path:
        return self.root / "baselines"


def _name(text: str) -> str:
    return text.replace("/", "__")
