"""Audits of branches beside the pages: kept as long as what they were made from is the same."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from headway.auditing import Looked, all_release_branches, look
from headway.decide.audit import AuditedCommit, AuditKind, BranchOnly
from headway.decide.reverts import RevertFinding, RevertVerdict
from headway.errors import not_found
from headway.model.commit import Sha
from headway.model.text import Text, say
from headway.views.auditdocument import audit_document
from headway.views.auditreport import headline
from headway.web.picture import Picture


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A branch as it was looked through. ``reverts`` are those that concern it."""

    ref: str
    commit: Sha
    looked: Looked

    @property
    def headline(self) -> Text:
        return headline(self.looked.line, self.looked.trunk, self.looked.audit)

    @property
    def bad(self) -> tuple[AuditedCommit, ...]:
        return tuple(c for c in self.looked.audit.commits if c.violations)

    @property
    def violations(self) -> int:
        return sum(len(c.violations) for c in self.looked.audit.commits)

    @property
    def only(self) -> tuple[BranchOnly, ...]:
        """What was taken back on the branch, never on the trunk."""
        return tuple(b for b in self.looked.audit.branch_only if b.kind == AuditKind.REVERT)

    @property
    def reverts(self) -> tuple[RevertFinding, ...]:
        return tuple(f for f in self.looked.audit.reverts if f.verdict is not RevertVerdict.NOT_ON_BRANCH)

    def as_json(self) -> dict[str, Any]:
        return audit_document(self.looked.line, self.looked.trunk, self.looked.audit)


@dataclass(frozen=True, slots=True)
class Branch:
    """A release branch of the list; ``looked`` where it was looked through as it is now."""

    name: str
    live: bool
    looked: AuditPage | None


def audit_of(picture: Picture, ref: str, *, wait: bool = False) -> AuditPage:
    """A branch, tag or commit looked through. Raises ``BeingRead`` while that takes longer than a page may, and as
    ``auditing.look`` does."""
    app, commit = picture.app, _commit(picture, ref)
    if commit is None:
        names = list(all_release_branches(app)[-12:])
        raise not_found("branch", ref, say("the release branches here are {names}", names=names))
    picture.lasting(_asked(ref), lambda: True, wait=True)
    key = _key(picture, ref, commit)
    return picture.lasting(key, lambda: AuditPage(ref, commit, look(app, ref)), wait=wait)


def audited_branches(picture: Picture) -> tuple[Branch, ...]:
    """All release branches, the newest version first."""
    live = {t.train.branch for t in picture.plan.trains}

    def make() -> tuple[str, ...]:
        return tuple(reversed(all_release_branches(picture.app)))

    return tuple(Branch(n, n in live, _known(picture, n)) for n in picture.kept("release branches", make))


def _known(picture: Picture, ref: str) -> AuditPage | None:
    if not picture.known(_asked(ref)):  # to ask git what each name means takes longer than a page may
        return None
    commit = _commit(picture, ref)
    return picture.known(_key(picture, ref, commit)) if commit else None


def _commit(picture: Picture, ref: str) -> Sha | None:
    app = picture.app
    return picture.kept(("commit", ref), lambda: app.commit_of(app.branch_named(ref)))


def _asked(ref: str) -> Hashable:
    return "audit asked for", ref


def _key(picture: Picture, ref: str, commit: Sha) -> Hashable:
    last = picture.entries[-1].digest if picture.entries else ""
    return "audit", ref, commit, picture.snapshot.trunk.tip, last, picture.policy.model_dump_json()
