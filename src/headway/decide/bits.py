"""Which bits a candidate has, and which of them are published (B4, B5)."""

from __future__ import annotations

from headway.decide.candidates import CandidateRecord
from headway.decide.restating import candidate_version
from headway.decide.versioning import named_version
from headway.model.build import Artifact
from headway.model.reason import Reason
from headway.model.text import facts, say
from headway.model.train import Train
from headway.policy.schema import Policy


def build_version(train: Train, number: int, policy: Policy) -> str:
    """The version that a candidate is built under."""
    if policy.promotion.mode == "same-bytes":
        return train.name
    return str(candidate_version(train.version, number))


def tested_version(r: CandidateRecord, train: Train) -> str:
    """The version that a candidate was built under, as its wheel's name says."""
    version = named_version(r.wheel.file) if r.wheel else None
    return str(version) if version is not None else train.name


def final_named(files: tuple[Artifact, ...], train: Train) -> bool:
    """Whether these files carry the release's own version."""
    return all(v is None or v.public == train.name for v in map(named_version, (a.file for a in files)))


def to_repack(r: CandidateRecord, train: Train, policy: Policy) -> bool:
    """Whether a sound candidate's files are still to be made into the release's."""
    return policy.promotion.mode == "repack" and not final_named(r.artifacts, train) and r.repacked is None


def other_version(r: CandidateRecord, train: Train) -> Reason | None:
    """What would be published carries another version: the policy was changed after the build (B5)."""
    if final_named(r.final_files, train):
        return None
    found = tested_version(r, train)
    return Reason(
        "B5",
        "candidate.other-version",
        say("the files of {tag} carry {found}, not {version}", tag=r.facts.tag, found=found, version=train.name),
        facts(tag=r.facts.tag, found=found, version=train.name, files=[a.file for a in r.artifacts]),
        say('build it again: `headway tick --retry build`; or set promotion.mode = "repack"'),
    )
