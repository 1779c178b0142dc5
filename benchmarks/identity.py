"""How often Headway, reading neither trailers nor pull request numbers, finds the origin that people named.

For every commit of every release branch whose message names its origin on the trunk (a trailer, a Change-Id, or the
pull request that it is said to be picked from), that origin is compared with the one found by content. A merge on the
trunk and the commit that it brought are the same change. States counts only; nothing is written to the repository.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path

from headway.decide.branchnames import release_branches
from headway.history.candidates import Candidates, Known
from headway.history.identity import find_origins
from headway.history.objects import Objects
from headway.history.records import read_records
from headway.history.repository import Repository, find_trunk, open_repository, resolve_commit
from headway.history.told import Messages
from headway.model.commit import Sha
from headway.sources.repository import branch_names

HIGH = 0.9


def truths(repo: Repository, known: list[Known], index: Candidates) -> dict[Sha, frozenset[Sha]]:
    """What people named, with the merge of each and what it brought; commits that name nothing are left out."""
    merges = {p: k.sha for k in index.all for p in k.record.parents[1:]}
    found = {}
    with Objects(repo.git) as objects:
        messages = Messages(index, objects)
        for k in known:
            named = messages.told(k).any
            if named:
                inner = [p for sha in named for p in index.by_sha[sha].record.parents[1:]]
                outer = [merges[sha] for sha in named if sha in merges]
                found[k.sha] = frozenset((*named, *inner, *outer))
    return found


def measure(repo: Repository, trunk: str, branches: tuple[str, ...], show: bool) -> Counter[str]:
    """Counts over all branches."""
    count: Counter[str] = Counter()
    for branch in branches:
        tip, top = resolve_commit(repo, branch), resolve_commit(repo, trunk)
        subjects = read_records(repo.git, ("--no-merges", str(tip), f"^{top}"))
        candidates = read_records(repo.git, (str(top), f"^{tip}"))
        known = [Known(r) for r in subjects]
        truth = truths(repo, known, Candidates.of(candidates))
        with Objects(repo.git) as objects:
            identities = find_origins(subjects, candidates, objects, ignore_trailers=True)
        count["commits"] += len(subjects)
        for k in known:
            count["named"] += k.sha in truth
            identity = identities[k.sha]
            count["mapped"] += bool(identity.origins)
            if k.sha not in truth:
                continue
            right = bool(identity.origins) and truth[k.sha].issuperset(identity.origins)
            answer = "right" if right else "wrong" if identity.origins else "not found"
            count[answer] += 1
            if identity.confidence >= HIGH:
                count["sure"] += 1
                count["sure and right"] += right
            if show and not right:
                origins = " ".join(o[:12] for o in identity.origins)
                print(f"  {answer} {identity.confidence:.2f} {branch} {k.sha[:12]} {k.record.commit.title[:60]}")
                print(f"      named {' '.join(sorted(t[:12] for t in truth[k.sha]))}; found {origins or 'nothing'}")
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repo", type=Path, action="append", required=True, help="a clone; may be given several times")
    parser.add_argument("--trunk", default="", help="the trunk's ref (default: as Headway finds it)")
    parser.add_argument("--show", action="store_true", help="list what was not right")
    options = parser.parse_args()
    titles = ("repository", "branches", "commits", "mapped", "named by people", "right", "wrong", "not found")
    print(f"| {' | '.join((*titles, 'recall', 'precision', 'right of those at ≥ 0.9', 's'))} |")
    print("|" + "---|" * (len(titles) + 4))
    for path in options.repo:
        repo = open_repository(path)
        trunk = find_trunk(repo, options.trunk)
        branches = release_branches(branch_names(repo), "releases/v{version}", trunk)
        begun = time.perf_counter()
        count = measure(repo, trunk, branches, options.show)
        took = time.perf_counter() - begun
        answers = [count[name] for name in ("commits", "mapped", "named", "right", "wrong", "not found")]
        recall = count["right"] / max(count["named"], 1)
        precision = count["right"] / max(count["right"] + count["wrong"], 1)
        sure = f"{count['sure and right']}/{count['sure']}"
        cells = [path, len(branches), *answers, f"{recall:.3f}", f"{precision:.3f}", sure, f"{took:.1f}"]
        print(f"| {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    main()
