"""Which trunk commits undo which others, and what is undone now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar

from headway.history.contents import ByContent, Contents
from headway.history.kept import Kept
from headway.history.log import contained, read_commits
from headway.history.objects import Objects
from headway.history.relands import with_quiet_relands
from headway.history.remembered import Remembered
from headway.history.repository import Repository
from headway.history.revertmessage import (
    Claim,
    Verb,
    brings_back,
    diff_of,
    is_cut,
    key,
    normal_title,
    read_claim,
    same_title,
    titles_of,
    untagged,
)
from headway.model.commit import Commit, Revert, RevertKind, Sha, pr_of, standing, title_of, undone_by

_WINDOWS = (2_000, 6_000, 12_000)  # trunk commits, newest first: 20,000 in all
_Name = TypeVar("_Name", int, str)
_BROUGHT = 500  # commits of one merge that are looked at


def find_reverts(
    repo: Repository, commits: Sequence[Commit], earlier: Sequence[Commit] = (), kept: Kept | None = None
) -> tuple[Revert, ...]:
    """The reverts and relands among ``commits`` (first-parent, oldest first), with what each undoes.

    A target is found by the SHA in the body (anywhere in the repository), then by pull request, then by its quoted
    title if only one earlier commit bears it, last by content (``history.inverse``). Number and title are looked for
    in ``earlier`` (commits before the first) and ``commits``, then in older trunk commits, at most 20,000; content
    in the last 2,000. A reland's targets are the reverts that it undoes, never the original; one that only bears the
    original's title again is found too (``history.relands``). ``targets`` is empty for
    a message that is plainly a revert but whose target cannot be told. What was found far back or by content is
    ``kept``.
    """
    if not commits:
        return ()
    found = _find(repo, commits, earlier)
    unclear = _unclear(found, commits)
    if not unclear:
        return with_quiet_relands(repo, found, (*earlier, *commits))
    known = Remembered(repo, kept, unclear)
    if known.targets:
        earlier = (*known.commits_outside({c.sha for c in (*earlier, *commits)}), *earlier)
        found = _find(repo, commits, earlier, known.target)
        unclear = {sha: claim for sha, claim in _unclear(found, commits).items() if sha not in known.targets}
    asked = unclear
    if unclear and (older := _namesakes(repo, (*earlier, *commits)[0], unclear)):
        earlier = (*older, *earlier)
        found = _find(repo, commits, earlier, known.target)
        unclear = {sha: claim for sha, claim in _unclear(found, commits).items() if sha not in known.targets}
    if unclear:
        with Objects(repo.git) as objects:
            contents = Contents(repo, commits, set(unclear), objects)
            found = _find(repo, commits, earlier, lambda *of: known.target(*of) or contents.target(*of))
    known.keep({r.commit.sha: r.targets for r in found}, asked)
    return with_quiet_relands(repo, found, (*earlier, *commits))


def _unclear(found: Sequence[Revert], commits: Sequence[Commit]) -> dict[Sha, Claim]:
    """Claims whose targets were not found, by commit. What only the body says is believed by SHA and number alone."""
    clear = {r.commit.sha for r in found if r.targets}
    claims = ((c, read_claim(c)) for c in commits if c.sha not in clear)
    return {c.sha: claim for c, claim in claims if claim and claim.spoken}


def _find(
    repo: Repository, commits: Sequence[Commit], earlier: Sequence[Commit], by_content: ByContent | None = None
) -> tuple[Revert, ...]:
    claims: dict[Sha, Claim] = {}
    carried: dict[Sha, Sha] = {}
    for c in (*earlier, *commits):
        if claim := read_claim(c):
            brought = _brought(repo, c)
            carried |= {b.sha: c.sha for b in brought}
            claims[c.sha] = _with_merged(claim, brought)
    full = resolve_shas(repo, {sha for claim in claims.values() for sha in claim.shas})
    seen = {c.sha for c in (*earlier, *commits)}
    named = set(full.values())
    on_trunk = contained(repo, named - seen, commits[-1].sha) | (named & seen)
    elsewhere = sorted(set(full.values()) - seen)
    read = read_commits(repo, ("--no-walk",), stdin=elsewhere) if elsewhere else ()
    kinds = {c.sha: _kind_in_words(c) for c in read if (claim := read_claim(c)) and claim.plain}
    return link_reverts(commits, earlier, claims, full, on_trunk, kinds, carried, by_content)


@lru_cache(maxsize=1 << 10)  # one search asks up to three times
def _brought(repo: Repository, commit: Commit) -> tuple[Commit, ...]:
    """What a merge brought to the trunk."""
    if len(commit.parents) != 2 or commit.sha in repo.git.shallow:
        return ()
    return read_commits(repo, (f"--max-count={_BROUGHT}", commit.parents[1], f"^{commit.parents[0]}"))


def _with_merged(claim: Claim, brought: Sequence[Commit]) -> Claim:
    """The claim of a pull request that was merged, not squashed: the commits that it brought name what they undo."""
    if claim.shas or not brought:
        return claim
    named = tuple(sha for c in brought if (inner := read_claim(c)) for sha in inner.shas)
    return replace(claim, shas=tuple(sha for sha in named if not any(c.sha.startswith(sha) for c in brought)))


@dataclass(frozen=True, slots=True)
class _Row:
    """A trunk commit as the search for names reads it."""

    sha: Sha
    parent: Sha | None
    title: str
    diff: str | None


def _namesakes(repo: Repository, first: Commit, unclear: Mapping[Sha, Claim]) -> tuple[Commit, ...]:
    """Trunk commits before ``first`` that these claims may mean, by number or title; oldest first.

    Looked for in growing windows, so that what is recent costs little and no history of any age costs much.
    """
    if not first.parents or first.sha in repo.git.shallow:
        return ()
    numbers = {n for c in unclear.values() for n in (*c.numbers, c.number, *c.loose) if n is not None}
    diffs = {d for c in unclear.values() for d in c.diffs}
    titles = [c.title for c in unclear.values() if c.title]
    exact = {*titles, *map(untagged, titles)}
    cut = [t for t in titles if is_cut(t)]
    wanted: list[_Row] = []
    tip: Sha | None = first.parents[0]
    for size in _WINDOWS:
        rows = _rows(repo, tip, size) if tip else []
        for row in rows:
            names = titles_of(row.title)
            by_title = any(n in exact or untagged(n) in exact or any(same_title(t, n) for t in cut) for n in names)
            if by_title or pr_of(row.title) in numbers or row.diff in diffs:
                wanted.append(row)
        if all(any(_may_mean(claim, row) for row in wanted) for claim in unclear.values() if _is_definite(claim)):
            break
        tip = rows[-1].parent if len(rows) == size else None
    shas = [row.sha for row in wanted]
    commits = {c.sha: c for c in read_commits(repo, ("--no-walk",), stdin=shas)} if shas else {}
    return tuple(commits[sha] for sha in reversed(shas))


def _is_definite(claim: Claim) -> bool:
    """Whether there must be something to find: words alone (``Revert the default``) are worth the first look only."""
    return claim.plain or claim.number is not None or bool(claim.numbers or claim.diffs)


def _may_mean(claim: Claim, row: _Row) -> bool:
    named = pr_of(row.title) in {*claim.numbers, claim.number, *claim.loose} - {None}
    return named or row.diff in claim.diffs or any(same_title(claim.title, other) for other in titles_of(row.title))


def _rows(repo: Repository, tip: Sha, count: int) -> list[_Row]:
    args = ("log", "-z", "--no-mailmap", "--first-parent", f"--max-count={count}", "--format=%H%x00%P%x00%s%x00%b")
    fields = repo.git.run(*args, tip, "--").split("\0")
    rows = zip(fields[::4], fields[1::4], fields[2::4], fields[3::4], strict=False)
    return [
        _Row(sha, parents.split()[0] if parents else None, title_of(subject, body), diff_of(body))
        for sha, parents, subject, body in rows
    ]


def trunk_titles(repo: Repository, tip: Sha, most: int | None = None) -> list[tuple[Sha, str]]:
    """The trunk's commits up to ``tip`` by SHA and title, newest first; at ``most`` so many."""
    limit = () if most is None else (f"--max-count={most}",)
    args = ("log", "-z", "--no-mailmap", "--first-parent", *limit, "--format=%H%x00%s%x00%b")
    fields = repo.git.run(*args, tip, "--").split("\0")
    rows = zip(fields[::3], fields[1::3], fields[2::3], strict=False)
    return [(sha, title_of(subject, body)) for sha, subject, body in rows]


def resolve_shas(repo: Repository, names: Iterable[str]) -> dict[str, Sha]:
    """Abbreviated or full SHAs (hex, as written) to the full SHAs of commits; what is no commit here is left out."""
    wanted = sorted(set(names))
    if not wanted:
        return {}
    with Objects(repo.git) as objects:
        answers = objects.many(f"{name}^{{commit}}" for name in wanted)
        return {name: o.sha for name, o in zip(wanted, answers, strict=True) if o is not None and o.kind == "commit"}


def link_reverts(
    commits: Sequence[Commit],
    earlier: Sequence[Commit],
    claims: Mapping[Sha, Claim],
    full: Mapping[str, Sha],
    on_trunk: frozenset[Sha],
    kinds: Mapping[Sha, RevertKind],
    carried: Mapping[Sha, Sha] | None = None,
    by_content: ByContent | None = None,
) -> tuple[Revert, ...]:
    """The pure part of ``find_reverts``: claims by commit, SHAs as written to full ones, those that the trunk has,
    and what those commits among them are that are neither in ``earlier`` nor in ``commits``.

    ``carried`` tells the merge that brought a commit, for merges that are reverts; ``by_content`` is asked last.
    """
    known = dict(kinds)
    history = _History(full, on_trunk, carried or {})
    wanted = {c.sha for c in commits}
    for commit in (*earlier, *commits):
        claim = claims.get(commit.sha)
        targets = history.targets(claim, commit) if claim else ()
        if claim and not targets and by_content:
            found = by_content(commit, claim, history.reverts)
            targets = (found,) if found else ()
        revert = None
        if claim and (targets or claim.plain):
            revert = Revert(commit, targets, _kind(commit, targets, known, history.seen))
            known[commit.sha] = revert.kind
        history.add(commit, revert)
    return tuple(r for r in history.reverts if r.commit.sha in wanted)


def _kind(
    commit: Commit, targets: tuple[Sha, ...], known: Mapping[Sha, RevertKind], seen: Mapping[Sha, Commit]
) -> RevertKind:
    """A reland undoes reverts, a revert undoes changes or relands; what is not known of targets the words must say."""
    kinds = {known.get(t) for t in targets}
    if kinds == {RevertKind.REVERT}:
        return RevertKind.RELAND
    if kinds == {RevertKind.RELAND} or (kinds == {None} and all(t in seen for t in targets)):
        return RevertKind.REVERT  # also of a change whose own title sounds like a revert: ``Revert resize: wait``
    return _kind_in_words(commit)


def _kind_in_words(commit: Commit) -> RevertKind:
    return RevertKind.RELAND if brings_back(commit.title) else RevertKind.REVERT


@lru_cache(maxsize=1 << 17)  # each line that is looked at begins with the trunk before its cut
def _keys(title: str) -> tuple[str, str]:
    """A title as it is looked up: with its tags and without."""
    normal = normal_title(title)
    return key(normal), key(untagged(normal))


class _History:
    """The commits before the one at hand, as its message may name them."""

    def __init__(self, full: Mapping[str, Sha], on_trunk: frozenset[Sha], carried: Mapping[Sha, Sha]) -> None:
        self.full = full
        self.on_trunk = on_trunk
        self.carried = carried
        self.reverts: list[Revert] = []
        self.seen: dict[Sha, Commit] = {}
        self.by_number: dict[int, list[Sha]] = {}
        self.by_diff: dict[str, list[Sha]] = {}
        self.by_title: dict[str, list[Sha]] = {}
        self.by_bare_title: dict[str, list[Sha]] = {}

    def add(self, commit: Commit, revert: Revert | None) -> None:
        self.seen[commit.sha] = commit
        if commit.pr is not None:
            self.by_number.setdefault(commit.pr, []).append(commit.sha)
        if (diff := diff_of(commit.body)) is not None:
            self.by_diff.setdefault(diff, []).append(commit.sha)
        whole, bare = _keys(commit.title)
        self.by_title.setdefault(whole, []).append(commit.sha)
        self.by_bare_title.setdefault(bare, []).append(commit.sha)
        if revert:
            self.reverts.append(revert)

    def targets(self, claim: Claim, commit: Commit) -> tuple[Sha, ...]:
        named = [s for s in self._named(claim) if s != commit.sha]
        if claim.verb is Verb.REDO:
            undoing = [self._revert_of(sha) for sha in named] or [self._revert_titled(claim.title)]
            named = [sha for sha in undoing if sha]
        elif brings_back(commit.title):  # some name the original in the end, not the revert that they undo
            named = [undone_by(sha, self.reverts) or sha for sha in named]
        return tuple(dict.fromkeys(named))

    def _named(self, claim: Claim) -> list[Sha]:
        shas = [self.carried.get(self.full[name], self.full[name]) for name in claim.shas if name in self.full]
        here = [sha for sha in shas if sha in self.seen or sha in self.on_trunk]
        if here:  # of several, some may be named by number
            return [*here, *self._numbered(claim.numbers, claim.title)]
        # A pull request that carries one number in its title and several in its body reverts all of the latter.
        numbers = claim.numbers or ((claim.number,) if claim.number is not None else ())
        if by_number := self._numbered(numbers, claim.title) or self._newest(self.by_diff, claim.diffs):
            return by_number
        titled = self._titled(claim.title)
        if titled:
            return [titled]
        return self._newest(self.by_number, claim.loose) or (shas if claim.title else [])

    def _numbered(self, numbers: Iterable[int], title: str) -> list[Sha]:
        """Of several commits that bear a number (some bear an issue's) the newest of that title, else the newest."""
        mine = {n: [s for s in self.by_number.get(n, ()) if normal_title(self.seen[s].title) == title] for n in numbers}
        return self._newest({n: found or self.by_number.get(n, []) for n, found in mine.items()}, mine)

    def _newest(self, index: Mapping[_Name, list[Sha]], names: Iterable[_Name]) -> list[Sha]:
        return [found[-1] for name in names if (found := index.get(name))]

    def _titled(self, title: str) -> Sha | None:
        """The one earlier commit of that title; of several the one that stands, if only one does."""
        if not title:
            return None
        found = self.by_title.get(key(title))
        if not found and is_cut(title):
            found = [sha for other, shas in self.by_title.items() if same_title(key(title), other) for sha in shas]
        found = found or self.by_bare_title.get(key(untagged(title))) or []
        if len(found) > 1:
            gone = undone(self.reverts)
            found = [sha for sha in found if sha not in gone]
            if len({self._origins(sha) for sha in found}) == 1:  # all of one chain: what is spoken of is its end
                found = found[-1:]
        return found[0] if len(found) == 1 else None

    def _origins(self, sha: Sha) -> frozenset[Sha]:
        """The changes that a chain of reverts began with; of a change itself."""
        targets = {r.commit.sha: r.targets for r in self.reverts}
        waiting, begun = [sha], set()
        for at in waiting:
            if targets.get(at):
                waiting += [t for t in targets[at] if t not in waiting]
            else:
                begun.add(at)
        return frozenset(begun)

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
