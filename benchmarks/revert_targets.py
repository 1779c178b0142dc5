"""How often Headway finds what a trunk revert undoes when its message is made to hide it.

Takes the reverts of a trunk that name a commit of that trunk by SHA, leaves out the SHA and ``Reverts …#N`` (and, with
``--bare``, numbers and titles too: then content alone must tell), and compares what is found with what was named.
States counts only. Nothing is written to the repository.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from headway.history.contents import Contents
from headway.history.log import contained, read_commits
from headway.history.objects import Objects
from headway.history.repository import Repository, find_trunk, open_repository, resolve_commit
from headway.history.revertmessage import Claim, Verb, read_claim
from headway.history.reverts import link_reverts, resolve_shas
from headway.model.commit import Commit, Sha


def hidden(claim: Claim, bare: bool) -> Claim:
    """A claim without what its body names; ``bare``: without number and title as well."""
    claim = replace(claim, shas=(), numbers=(), loose=(), diffs=(), plain=True)
    return replace(claim, number=None, title="") if bare else claim


def measure(repo: Repository, trunk: str, bare: bool, show: bool) -> Counter[str]:
    """Counts of ``right``, ``wrong`` and ``not found`` over the trunk's reverts with one known target."""
    tip = resolve_commit(repo, trunk)
    assert tip is not None
    commits = read_commits(repo, ("--first-parent", tip))
    seen = {c.sha for c in commits}
    claims = {c.sha: claim for c in commits if (claim := read_claim(c)) and claim.spoken}
    # Gerrit's merges say nothing: the commit that each brought names what it undoes.
    brought = {c.parents[1]: c.sha for c in commits if len(c.parents) == 2}
    asked = sorted(inner for inner, sha in brought.items() if sha in claims and not claims[sha].shas)
    for inner in read_commits(repo, ("--no-walk",), stdin=asked) if asked else ():
        if claim := read_claim(inner):
            claims[brought[inner.sha]] = replace(claims[brought[inner.sha]], shas=claim.shas)
    full = resolve_shas(repo, {sha for claim in claims.values() for sha in claim.shas})
    on_trunk = contained(repo, full.values(), tip)
    truth: dict[Sha, Sha] = {}
    for sha, claim in claims.items():
        named = {brought.get(full[s], full[s]) for s in claim.shas if s in full} & seen
        if len(named) == 1 and claim.verb is Verb.UNDO and claim.plain:
            (truth[sha],) = named
    known = {sha: hidden(c, bare) if sha in truth else c for sha, c in claims.items()}
    with Objects(repo.git) as objects:
        contents = Contents(repo, commits, frozenset(truth), objects)
        found = link_reverts(commits, (), known, full, on_trunk, {}, by_content=contents.target)
    targets = {r.commit.sha: r.targets for r in found}
    count: Counter[str] = Counter()
    for sha, target in truth.items():
        got = targets.get(sha, ())
        answer = "right" if got == (target,) else "wrong" if got else "not found"
        count[answer] += 1
        if show and answer != "right":
            tell(commits, sha, target, got, answer)
    return count


def tell(commits: Sequence[Commit], sha: Sha, target: Sha, got: tuple[Sha, ...], answer: str) -> None:
    title = next(c.title for c in commits if c.sha == sha)
    print(f"  {answer}: {sha[:12]} {title[:70]} | named {target[:12]}, found {', '.join(g[:12] for g in got)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repo", type=Path, action="append", required=True, help="a clone; may be given several times")
    parser.add_argument("--trunk", default="", help="the trunk's ref (default: as Headway finds it)")
    parser.add_argument("--bare", action="store_true", help="hide numbers and titles too")
    parser.add_argument("--show", action="store_true", help="list what was not right")
    options = parser.parse_args()
    print("| repository | reverts | right | wrong | not found |\n|---|---|---|---|---|")
    for path in options.repo:
        repo = open_repository(path)
        count = measure(repo, find_trunk(repo, options.trunk), options.bare, options.show)
        cells = (sum(count.values()), count["right"], count["wrong"], count["not found"])
        print(f"| {path} | {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    main()
