"""What a person changed about a change while resolving its conflict: the difference of two patches."""

from __future__ import annotations

from headway.history.git import Git
from headway.history.merge import synthetic_commit
from headway.history.scratch import scratch_objects
from headway.model.commit import Sha

_ALWAYS = "--creation-factor=10000"  # the two are one change, however little they are alike


def interdiff(git: Git, origin: Sha, tip: Sha, tree: Sha, *, revert: bool = False) -> str:
    """``git range-diff`` of ``origin`` (a merge against its first parent; turned round for a ``revert`` of it) and of
    what ``tree`` makes of ``tip``.

    The difference alone, without its heading; ``""`` when the patches are the same.
    """
    with scratch_objects(git) as scratch:
        empty = git.run("mktree", env=scratch).strip()
        _, found, _ = git.try_run("rev-parse", "--verify", "--quiet", f"{origin}^1^{{tree}}")
        ends = (found.strip() or empty, f"{origin}^{{tree}}")
        first, last = reversed(ends) if revert else ends
        before, made_on = (synthetic_commit(git, t, None, scratch) for t in (first, f"{tip}^{{tree}}"))
        after, made = (synthetic_commit(git, t, base, scratch) for t, base in ((last, before), (tree, made_on)))
        ranges = f"{before}..{after}", f"{made_on}..{made}"
        said = git.run("range-diff", "--no-color", _ALWAYS, *ranges, env=scratch)
    _, _, rest = said.partition("\n")
    return "".join(line.removeprefix("    ") + "\n" for line in rest.split("\n")[:-1])
