"""Which trunk commits undo which others, and what is undone now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from headway.history.log import contained, read_commits
from headway.history.repository import Repository
from headway.history.revertmessage import (
    Claim,
    Verb,
    brings_back,
    normal_title,
    read_claim,
    same_title,
    titles_of,
)
from headway.model.commit import Commit, Revert, RevertKind, Sha, pr_of, standing, title_of, undone_by


def find_reverts(repo: Repository, commits: Sequence[Commit], earlier: Sequence[Commit] = ()) -> tuple[Revert, ...]:
    """The reverts and relands among ``commits`` (first-parent, oldest first), with what each undoes.

    A target is found by the SHA in the body (anywhere in the repository), then by pull request, then by its quoted
    title if only one earlier commit bears it; the last two look in ``earlier`` (commits before the first) and
    ``commits``. A reland's targets are the reverts that it undoes, never the original. ``targets`` is empty for a
    message that is plainly a revert but whose target cannot be told; older trunk commits are asked before that.
    """
    found = _find(repo, commits, earlier)
    unclear = [claim for r in found if not r.targets and (claim := read_claim(r.commit))]
    older = _namesakes(repo, (*earlier, *commits)[0], unclear) if unclear else ()
    return _find(repo, commits, (*older, *earlier)) if older else found


def _find(repo: Repository, commits: Sequence[Commit], earlier: Sequence[Commit]) -> tuple[Revert, ...]:
    claims = {c.sha: _with_merged(repo, c, claim) for c in (*earlier, *commits) if (claim := read_claim(c))}
    full = resolve_shas(repo, {sha for claim in claims.values() for sha in claim.shas})
    tip = commits[-1].sha if commits else None
    on_trunk = contained(repo, full.values(), tip) if tip else frozenset()
    seen = {c.sha for c in (*earlier, *commits)}
    elsewhere = sorted(set(full.values()) - seen)
    read = read_commits(repo, ("--no-walk",), stdin=elsewhere) if elsewhere else ()
    kinds = {c.sha: _kind_in_words(c) for c in read if read_claim(c)}
    return link_reverts(commits, earlier, claims, full, on_trunk, kinds)


def _with_merged(repo: Repository, commit: Commit, claim: Claim) -> Claim:
    """The claim of a pull request that was merged, not squashed: the commits that it brought name what they undo."""
    if claim.shas or len(commit.parents) != 2 or commit.sha in repo.git.shallow:
        return claim
    brought = read_commits(repo, (commit.parents[1], f"^{commit.parents[0]}"))
    named = tuple(sha for c in brought if (inner := read_claim(c)) for sha in inner.shas)
    return replace(claim, shas=tuple(sha for sha in named if not any(c.sha.startswith(sha) for c in brought)))


def _namesakes(repo: Repository, first: Commit, claims: Sequence[Claim]) -> tuple[Commit, ...]:
    """Trunk commits before ``first`` that these claims may mean, by number or title; oldest first."""
    if not first.parents or first.sha in repo.git.shallow:
        return ()
    numbers = {n for c in claims for n in (*c.numbers, c.number) if n is not None}
    wanted = [
        sha
        for sha, title in trunk_titles(repo, first.parents[0])
        if pr_of(title) in numbers or any(same_title(c.title, other) for c in claims for other in titles_of(title))
    ]
    commits = {c.sha: c for c in read_commits(repo, ("--no-walk",), stdin=wanted)} if wanted else {}
    return tuple(commits[sha] for sha in reversed(wanted))


def trunk_titles(repo: Repository, tip: Sha) -> list[tuple[Sha, str]]:
    """The trunk's commits up to ``tip`` by SHA and title, newest first."""
    fields = repo.git.run("log", "-z", "--first-parent", "--format=%H%x00%s%x00%b", tip, "--").split("\0")
    rows = zip(fields[::3], fields[1::3], fields[2::3], strict=False)
    return [(sha, title_of(subject, body)) for sha, subject, body in rows]


def resolve_shas(repo: Repository, names: Iterable[str]) -> dict[str, Sha]:
    """Abbreviated or full SHAs (hex, as written) to the full SHAs of commits; what is no commit here is left out."""
    wanted = sorted(set(names))
    if not wanted:
        return {}
    asked = "".join(f"{name}^{{commit}}\n" for name in wanted).encode()
    answers = repo.git.run("cat-file", "--batch-check=%(objecttype) %(objectname)", input=asked).splitlines()
    pairs = ((name, line.split()) for name, line in zip(wanted, answers, strict=True))
    return {name: words[1] for name, words in pairs if words[0] == "commit"}


def link_reverts(
    commits: Sequence[Commit],
    earlier: Sequence[Commit],
    claims: Mapping[Sha, Claim],
    full: Mapping[str, Sha],
    on_trunk: frozenset[Sha],
    kinds: Mapping[Sha, RevertKind],
) -> tuple[Revert, ...]:
    """The pure part of ``find_reverts``: claims by commit, SHAs as written to full ones, those that the trunk has,
    and what those commits among them are that are neither in ``earlier`` nor in ``commits``."""
    known = dict(kinds)
    history = _History(full, on_trunk)
    wanted = {c.sha for c in commits}
    for commit in (*earlier, *commits):
        claim = claims.get(commit.sha)
        targets = history.targets(claim, commit) if claim else ()
        revert = Revert(commit, targets, _kind(commit, targets, known)) if claim and (targets or claim.plain) else None
        if revert:
            known[commit.sha] = revert.kind
        history.add(commit, revert)
    return tuple(r for r in history.reverts if r.commit.sha in wanted)


def _kind(commit: Commit, targets: tuple[Sha, ...], known: Mapping[Sha, RevertKind]) -> RevertKind:
    """A reland undoes reverts, a revert undoes changes or relands; what is not known of targets the words must say."""
    kinds = {known.get(t) for t in targets}
    if kinds == {RevertKind.REVERT}:
        return RevertKind.RELAND
    if kinds == {RevertKind.RELAND}:
        return RevertKind.REVERT
    return _kind_in_words(commit)


def _kind_in_words(commit: Commit) -> RevertKind:
    return RevertKind.RELAND if brings_back(commit.title) else RevertKind.REVERT


class _History:
    """The commits before the one at hand, as its message may name them."""

    def __init__(self, full: Mapping[str, Sha], on_trunk: frozenset[Sha]) -> None:
        self.full = full
        self.on_trunk = on_trunk
        self.reverts: list[Revert] = []
        self.seen: dict[Sha, Commit] = {}
        self.by_number: dict[int, list[Sha]] = {}
        self.by_title: dict[str, list[Sha]] = {}

    def add(self, commit: Commit, revert: Revert | None) -> None:
        self.seen[commit.sha] = commit
        if commit.pr is not None:
            self.by_number.setdefault(commit.pr, []).append(commit.sha)
        self.by_title.setdefault(normal_title(commit.title), []).append(commit.sha)
        if revert:
            self.reverts.append(revert)

    def targets(self, claim: Claim, commit: Commit) -> tuple[Sha, ...]:
        named = [s for s in self._named(claim) if s != commit.sha]
        if claim.verb is Verb.REDO:
            undoing = [self._revert_of(sha) for sha in named] or [self._revert_titled(claim.title)]
            named = [sha for sha in undoing if sha]
        return tuple(dict.fromkeys(named))

    def _named(self, claim: Claim) -> list[Sha]:
        shas = [self.full[name] for name in claim.shas if name in self.full]
        here = [sha for sha in shas if sha in self.seen or sha in self.on_trunk]
        if here:
            return here
        # A pull request that carries one number in its title and several in its body reverts all of the latter.
        numbers = claim.numbers or ((claim.number,) if claim.number is not None else ())
        by_number = [found[-1] for n in numbers if (found := self.by_number.get(n))]
        if by_number:
            return by_number
        if not claim.title:
            return []
        titled = self._titled(claim.title)
        return [titled] if titled else shas

    def _titled(self, title: str) -> Sha | None:
        """The one earlier commit of that title; of several the one that stands, if only one does."""
        found = self.by_title.get(title) or [
            sha for other, shas in self.by_title.items() if same_title(title, other) for sha in shas
        ]
        if len(found) > 1:
            gone = undone(self.reverts)
            found = [sha for sha in found if sha not in gone]
        return found[0] if len(found) == 1 else None

    def _revert_of(self, sha: Sha) -> Sha | None:
        """A revert itself, or the newest standing one of a commit. A commit not seen is taken at the message's word."""
        if any(r.commit.sha == sha for r in self.reverts):
            return sha
        return undone_by(sha, self.reverts) or (None if sha in self.seen else sha)

    def _revert_titled(self, title: str) -> Sha | None:
        found = [
            r.commit.sha
            for r in standing(self.reverts)
            if (claim := read_claim(r.commit)) and claim.verb is Verb.UNDO and same_title(title, claim.title)
        ]
        return found[0] if len(found) == 1 else None


def undone(reverts: Sequence[Revert]) -> frozenset[Sha]:
    """Every commit (reverts too) that is undone now, from the whole chain: reverted, relanded, reverted again."""
    return frozenset(sha for revert in standing(reverts) for sha in revert.targets)
