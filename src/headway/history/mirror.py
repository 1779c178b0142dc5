"""What the project's own repository on its forge had when it was followed last: kept in refs of Headway's own, so that
what is known here and what was seen there can be told apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from headway.history.git import Git
from headway.history.log import read_tags
from headway.history.repository import Repository, resolve_commit
from headway.model.commit import Sha, Tag
from headway.model.remote import Relation, Remembered, Stray

MIRROR = "refs/headway/remote"
HEADS, TAGS = f"{MIRROR}/heads/", f"{MIRROR}/tags/"
LOST = "refs/headway/lost/heads/"  # of a branch that was forced or deleted there: what it had before


def mirror_of(ref: str) -> str:
    """Where a branch or tag of the remote (its full name there) is remembered."""
    return f"{MIRROR}/{ref.removeprefix('refs/')}"


def read_heads(git: Git) -> dict[str, Sha]:
    """The remote's branches that are followed, to their tips; empty where nothing was followed yet."""
    return _refs(git, HEADS)


def read_lost(git: Git) -> dict[str, Sha]:
    """What branches that were forced or deleted there had before."""
    return _refs(git, LOST)


def read_tag_objects(git: Git) -> dict[str, Sha]:
    """The remote's tags that are followed, to their objects (of an annotated tag its own)."""
    return _refs(git, TAGS)


def read_remembered(repo: Repository, remote: str, trunk: str, branches: Iterable[str]) -> Remembered | None:
    """The remote as it is remembered, with those of ``branches`` and the trunk (a ref) that are not here as they are
    there; ``None`` where it was never followed."""
    heads = read_heads(repo.git)
    if not heads:
        return None
    lost = read_lost(repo.git)
    strays = [s for b in branches if (s := _stray(repo, b, f"refs/heads/{b}", heads.get(b), lost)) is not None]
    own = trunk_branch(repo, remote, trunk)
    if own and (stray := _stray(repo, own, trunk_ref(repo, trunk), heads.get(own), lost)) is not None:
        strays.append(stray)
    return Remembered(remote, own, heads, tuple(strays))


def tags_there(repo: Repository, local: tuple[Tag, ...], prefixes: Iterable[str]) -> tuple[Tag, ...]:
    """All tags, of those that are followed (by the beginnings of their names) the remote's: one that is only here was
    never made in the project, and one that moved there has moved. Those here where nothing was followed yet."""
    if not read_heads(repo.git):
        return local
    followed = tuple(prefixes)
    others = (t for t in local if not t.name.startswith(followed))
    return tuple(sorted((*others, *read_tags(repo, TAGS)), key=lambda t: t.name))


def trunk_ref(repo: Repository, trunk: str) -> str:
    """The full name of the trunk's ref; ``""`` when it is none (a commit)."""
    named = (f"refs/heads/{trunk}", f"refs/remotes/{trunk}", trunk if trunk.startswith("refs/") else "")
    return next((r for r in named if r and repo.git.try_run("show-ref", "--verify", "--quiet", r)[0] == 0), "")


def trunk_branch(repo: Repository, remote: str, trunk: str) -> str:
    """The trunk's branch in the remote; ``""`` when it names none of its branches (a commit, a tag)."""
    ref = trunk_ref(repo, trunk)
    for head in (f"refs/remotes/{remote}/", "refs/heads/"):
        if ref.startswith(head):
            return ref.removeprefix(head)
    return ""


def names_there(rev: str, trunk: str, remote: str) -> tuple[str, ...]:
    """How git is asked for what a person's word means in the project, in turn: the trunk and the branches that are
    followed as ``remote`` (``""``: the project has none) has them, since one here of the same name may be behind."""
    if not remote or not rev.strip():
        return (rev,)
    own, tracked = trunk.removeprefix(f"{remote}/"), trunk.startswith(f"{remote}/")
    rest = rev.removeprefix(own)
    meant = tracked and rev.startswith(own) and rest[:1] in {"", "~", "^", "@"}
    return (*((f"refs/remotes/{trunk}{rest}",) if meant else ()), f"{HEADS}{rev}", rev)


def resolve_there(repo: Repository, rev: str, trunk: str, remote: str) -> Sha | None:
    """The commit that a person's word means in the project (``names_there``), or ``None``."""
    return next((sha for name in names_there(rev, trunk, remote) if (sha := resolve_commit(repo, name))), None)


def relation(git: Git, here: Sha, there: Sha | None) -> Relation:
    """How a branch here stands to the remote's."""
    if there is None:
        return Relation.GONE
    if here == there:
        return Relation.SAME
    if is_within(git, here, there):
        return Relation.BEHIND
    return Relation.AHEAD if is_within(git, there, here) else Relation.APART


def is_within(git: Git, older: Sha, newer: Sha) -> bool:
    """Whether a commit is in the history of another."""
    return git.try_run("merge-base", "--is-ancestor", older, newer)[0] == 0


def _stray(repo: Repository, branch: str, ref: str, there: Sha | None, lost: Mapping[str, Sha]) -> Stray | None:
    here = resolve_commit(repo, ref)
    if here is None:
        return None
    how = relation(repo.git, here, there)
    if how is Relation.SAME:
        return None
    had = how in {Relation.AHEAD, Relation.GONE} and branch in lost and is_within(repo.git, here, lost[branch])
    return Stray(branch, here, there, Relation.APART if had and how is Relation.AHEAD else how, had)


def _refs(git: Git, under: str) -> dict[str, Sha]:
    rows = git.run("for-each-ref", "--format=%(objectname) %(refname)", under).splitlines()
    found: Mapping[str, Sha] = {ref.removeprefix(under): sha for sha, _, ref in (r.partition(" ") for r in rows)}
    return dict(found)
