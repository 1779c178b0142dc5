"""Would commits apply cleanly, each on its own? The reading side of ``pick check``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from headway.errors import UnusableInput
from headway.history.commitobject import record_of
from headway.history.objects import Found, Objects
from headway.history.repository import Repository, commit_names, shallow
from headway.history.shortcut import Sides
from headway.history.trials import Merged, Trials, lacking
from headway.model.commit import Sha
from headway.model.text import say

_FULL = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True)
class Asked:
    """A commit and what it would go onto, as a person names them; ``line`` of the pairs file (0: none)."""

    onto: str
    commit: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Named:
    """A commit that a name was found to mean."""

    sha: Sha
    tree: Sha
    parents: tuple[Sha, ...]


@dataclass(frozen=True, slots=True)
class Pick:
    """A commit, what it would go onto, and the trees; ``base`` is the parent it is compared with (``None``: a root).

    ``sides`` is ``None`` when ``missing`` is an object that is not here.
    """

    onto: Named
    commit: Named
    base: Sha | None
    sides: Sides | None
    missing: Sha = ""


@dataclass
class Names:
    """Commits by the names that people give them, each asked once. Raises nothing: what is no commit is ``None``."""

    objects: Objects
    _known: dict[str, Named | None] = field(default_factory=dict)

    def find(self, names: Iterable[str]) -> Mapping[str, Named | None]:
        """Branches come before remote branches, these before tags and all other revisions."""
        new = [n for n in dict.fromkeys(names) if n not in self._known]
        forms = [(n, form) for n in new for form in _forms(n)]
        self._known |= dict.fromkeys(new)
        for (name, _), found in zip(forms, self.objects.many(f for _, f in forms), strict=True):
            if found is not None and self._known[name] is None:
                self._known[name] = _named(found)
        return self._known


def _forms(name: str) -> tuple[str, ...]:
    """A full SHA is no branch's name: two questions less."""
    return (f"{name}^{{commit}}",) if _FULL.fullmatch(name) else commit_names(name)


def _named(found: Found) -> Named | None:
    if found.kind != "commit":
        return None
    record = record_of(found)
    return Named(record.sha, record.fields[2].decode("ascii"), record.parents)


def find_picks(repo: Repository, trials: Trials, asked: Sequence[Asked], parent: int | None) -> tuple[Pick, ...]:
    """What is asked, by its objects, in the same order.

    Raises ``UnusableInput``: ``pick.unknown-ref``, ``pick.merge`` (a merge without ``parent``), ``pick.no-parent``,
    ``repo.shallow``.
    """
    names = Names(trials.objects)
    found = names.find(n for a in asked for n in (a.onto, a.commit))
    unknown = {n: a.line for a in asked for n in (a.onto, a.commit) if found[n] is None}
    if unknown:
        raise UnusableInput(
            "pick.unknown-ref",
            say("{ref} names no commit of this repository", ref=_where(next(iter(unknown.items())))),
            facts=(("unknown", tuple(_where(item) for item in unknown.items())),),
            remedy=say("name a commit that git rev-parse knows; git fetch gets new ones"),
        )
    pairs = [(onto, commit) for a in asked if (onto := found[a.onto]) and (commit := found[a.commit])]
    bases = _bases(repo, [commit for _, commit in pairs], parent)
    trees = names.find(b for b in bases if b)
    return tuple(_pick(*pair, base, trees, trials) for pair, base in zip(pairs, bases, strict=True))


def _where(named: tuple[str, int]) -> str:
    name, line = _shown(named[0]), named[1]
    return f"{name} (line {line})" if line else name


def _shown(text: str) -> str:
    """A text with foreign bytes as it can be printed."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _bases(repo: Repository, commits: Sequence[Named], parent: int | None) -> list[Sha | None]:
    lacking = [c for c in commits if c.sha in repo.git.shallow]
    if lacking:
        raise shallow(repo.path)
    merges = tuple(dict.fromkeys(c.sha for c in commits if len(c.parents) > 1))
    if merges and parent is None:
        raise UnusableInput(
            "pick.merge",
            say("{commit} is a merge: which of its parents it is compared with must be said", commit=merges[0]),
            facts=(("merges", merges),),
            remedy=say("add --parent 1 for what the merge brought to its first parent"),
        )
    wanted = 1 if parent is None else parent
    short = next((c for c in commits if wanted > max(len(c.parents), 1)), None)
    if short is not None or wanted < 1:
        raise UnusableInput(
            "pick.no-parent",
            say("{commit} has no parent {parent}", commit=short.sha if short else "-", parent=wanted),
            remedy=say("name a parent that every one of the commits has"),
        )
    return [c.parents[wanted - 1] if c.parents else None for c in commits]


def _pick(onto: Named, commit: Named, base: Sha | None, trees: Mapping[str, Named | None], trials: Trials) -> Pick:
    if base is None:
        return Pick(onto, commit, None, Sides(onto.tree, trials.empty_tree, commit.tree))
    before = trees[base]
    if before is None:
        return Pick(onto, commit, base, None, base)
    return Pick(onto, commit, base, Sides(onto.tree, before.tree, commit.tree))


def begin_picks(trials: Trials, picks: Sequence[Pick]) -> Callable[[], tuple[Merged, ...]]:
    """How each would apply, by itself, told when what is returned is called; equal questions are asked once."""
    asked = list(dict.fromkeys(p.sides for p in picks if p.sides))
    answers = trials.begin(asked)

    def end() -> tuple[Merged, ...]:
        found = dict(zip(asked, answers(), strict=True))
        return tuple(found[p.sides] if p.sides else Merged(None, unknown=lacking(p.missing)) for p in picks)

    return end


def read_pairs(text: str, where: str) -> Iterator[Asked]:
    """The lines ``ONTO COMMIT`` of a pairs file; empty ones and those that begin with ``#`` are left out.

    Raises ``UnusableInput`` (``pick.pairs``) with the line's number.
    """
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 2 or "\0" in line:
            raise UnusableInput(
                "pick.pairs",
                say("{file}, line {line}: a line is ONTO COMMIT, two names", file=_shown(where), line=number),
                facts=(("line", number), ("text", _shown(line.strip()[:200]))),
                remedy=say("write one pair on each line, with a space between"),
            )
        yield Asked(words[0], words[1], number)
