"""Commits, tags, lines and files, each kind by one git process however many there are."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from headway.errors import UnusableInput
from headway.history.git import NO_FETCH
from headway.history.repository import Repository, refuse_shallow, resolve_commit, shallow
from headway.model.commit import Commit, Line, Sha, Tag
from headway.model.snapshot import Trunk
from headway.model.text import say

# NUL cannot stand in a commit as git shows it, so it is the only separator that needs no trust in messages.
_FIELDS = "%H%x00%P%x00%T%x00%an%x00%ae%x00%at%x00%ct%x00%B"
_WIDTH = 8
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_commits(repo: Repository, range_args: Iterable[str], *, stdin: Iterable[Sha] = ()) -> tuple[Commit, ...]:
    """Commits of a range, oldest first (parents before children).

    ``range_args`` are git's own: SHAs, ``SHA..SHA``, ``--first-parent``; never a name that a person gave.
    ``stdin`` gives more SHAs than a command line holds.
    """
    shas = [*stdin]
    args = [
        "log",
        "--no-mailmap",
        "-z",
        "--reverse",
        "--topo-order",
        f"--format={_FIELDS}",
        *range_args,
        *(["--stdin"] if shas else []),
    ]
    fields = repo.git.run(*args, "--", input="".join(f"{sha}\n" for sha in shas).encode()).split("\0")
    return tuple(commit_from(fields[i : i + _WIDTH]) for i in range(0, len(fields) - _WIDTH + 1, _WIDTH))


def commit_from(fields: list[str]) -> Commit:
    """A commit from the fields of ``_FIELDS``, in their order."""
    sha, parents, tree, author, email, authored, committed, message = fields
    subject, _, body = message.replace("\r\n", "\n").lstrip("\n").partition("\n")
    return Commit(
        sha,
        tuple(parents.split()),
        tree,
        author,
        email,
        _when(authored),
        _when(committed),
        subject.strip(),
        body.strip("\n"),
    )


def _when(seconds: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):  # a commit whose date git itself cannot read
        return _EPOCH


def read_commit(repo: Repository, sha: Sha) -> Commit:
    """One commit by its full SHA."""
    return read_commits(repo, ("--no-walk", sha))[0]


def read_tags(repo: Repository, under: str = "refs/tags/") -> tuple[Tag, ...]:
    """All tags that peel to a commit, by name: the refs ``under`` a place. Tags of tags are peeled to the end; tags of
    trees and blobs left out."""
    form = "%00".join(
        ("%(refname)", "%(objecttype)", "%(objectname)", "%(*objecttype)", "%(*objectname)", "%(creatordate:unix)")
    )
    rows = [line.split("\0") for line in repo.git.run("for-each-ref", f"--format={form}", under).splitlines()]
    nested = [ref for ref, kind, _, peeled, *_ in rows if kind == "tag" and peeled == "tag"]
    ends = dict(zip(nested, _peel(repo, nested), strict=True))
    tags = []
    for ref, kind, sha, peeled, target, when in rows:
        commit = sha if kind == "commit" else target if peeled == "commit" else ends.get(ref)
        if commit:
            tags.append(Tag(ref.removeprefix(under), commit, kind == "tag", _when(when)))
    return tuple(tags)


def _peel(repo: Repository, refs: list[str]) -> list[Sha | None]:
    asked = "".join(f"{ref}^{{}}\n" for ref in refs).encode()
    answers = repo.git.run("cat-file", "--batch-check=%(objecttype) %(objectname)", input=asked).splitlines()
    return [line.split()[1] if line.startswith("commit ") else None for line in answers]


def read_line(repo: Repository, branch: str, trunk: str) -> Line | None:
    """A release branch since its cut, or ``None`` when there is no such branch.

    The cut is the newest commit of the trunk's first-parent history that the branch contains: the merge base, also
    after the trunk was merged into the branch or the branch back into the trunk. Raises ``UnusableInput``:
    ``repo.shallow`` when that history was not fetched, ``repo.unrelated`` when there is none.
    """
    tip = resolve_commit(repo, branch)
    if tip is None:
        return None
    newest = trunk_tip(repo, trunk)
    since = repo.git.run("rev-list", "--first-parent", "--parents", newest, f"^{tip}").splitlines()
    if not since:
        return Line(branch, tip, newest, _since(repo, newest, tip))
    _, *parents = since[-1].split()
    if not parents:
        if repo.git.shallow:
            raise shallow(repo.path)
        raise UnusableInput(
            "repo.unrelated",
            say("the branch {branch} has no commit of the trunk {trunk}", branch=branch, trunk=trunk),
            remedy=say("cut release branches from the trunk, or name the right one with --trunk REF"),
        )
    return Line(branch, tip, parents[0], _since(repo, parents[0], tip))


def _since(repo: Repository, cut: Sha, tip: Sha) -> tuple[Commit, ...]:
    commits = read_commits(repo, (tip, f"^{cut}"))
    refuse_shallow(repo, commits)
    return commits


def trunk_tip(repo: Repository, ref: str) -> Sha:
    """The commit that the trunk's ref names; raises ``UnusableInput`` (``repo.no-trunk``)."""
    tip = resolve_commit(repo, ref)
    if tip is None:
        raise UnusableInput(
            "repo.no-trunk",
            say("the trunk {wanted} does not exist here", wanted=ref),
            remedy=say("name it with --trunk REF, or as project.trunk in the policy"),
        )
    return tip


def read_trunk(repo: Repository, ref: str, since: Sha | None) -> Trunk:
    """The trunk's first-parent commits after ``since`` (oldest first), or with ``None`` only its tip.

    Raises ``UnusableInput``: ``repo.no-trunk``; ``repo.shallow`` when a commit after ``since`` was not fetched.
    """
    tip = trunk_tip(repo, ref)
    if since is None:
        return Trunk(ref, tip, (read_commit(repo, tip),))
    commits = read_commits(repo, ("--first-parent", tip, f"^{since}"))
    refuse_shallow(repo, commits)
    return Trunk(ref, tip, commits)


def read_file(repo: Repository, commit: Sha, path: str) -> str | None:
    """A file of a commit as text (decoded with replacement), or ``None`` when it has no such file."""
    name = f"{commit}:{path}"
    code, out, words = repo.git.try_run("cat-file", "blob", "--end-of-options", name, env=NO_FETCH)
    if code == 0:
        return out
    exists, kind, _ = repo.git.try_run("cat-file", "-t", "--end-of-options", name, env=NO_FETCH)
    if exists == 0 and kind.strip() == "blob":
        raise repo.git.failed(("cat-file", "blob", name), code, words)
    return None


def paths_of(repo: Repository, sha: Sha) -> tuple[str, ...]:
    """Paths that a commit touches, against its first parent (a root: all its files); both ends of a rename."""
    args = ("diff-tree", "-r", "-z", "--root", "--name-only", "--no-renames", "--no-commit-id")
    out = repo.git.run(*args, "--diff-merges=first-parent", "--end-of-options", sha)
    return tuple(path for path in out.split("\0") if path)


def is_ancestor(repo: Repository, old: Sha, new: Sha) -> bool:
    """Whether ``new`` contains ``old`` (a commit contains itself)."""
    code, _, words = repo.git.try_run("merge-base", "--is-ancestor", "--end-of-options", old, new)
    if code not in (0, 1):
        raise repo.git.failed(("merge-base", "--is-ancestor", old, new), code, words)
    return code == 0


def contained(repo: Repository, shas: Iterable[Sha], tip: Sha) -> frozenset[Sha]:
    """Those of the commits that ``tip`` contains; one git process for all."""
    return _contained(repo, frozenset(shas), tip)


@lru_cache(maxsize=64)  # what a commit contains never changes, and one look asks the same several times
def _contained(repo: Repository, asked: frozenset[Sha], tip: Sha) -> frozenset[Sha]:
    if not asked:
        return frozenset()
    lines = "".join(f"{sha}\n" for sha in (*sorted(asked), f"^{tip}")).encode()
    return asked - set(repo.git.run("rev-list", "--stdin", input=lines).split())
