"""Who wrote what, by git's own reading of ``.mailmap``, and what merges brought."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from headway.history.git import Git
from headway.history.kept import Kept, form_of, is_plain
from headway.history.log import read_commits
from headway.history.repository import Repository
from headway.model import noted
from headway.model.commit import Commit, Sha
from headway.model.noted import Noted, Person, authors

_KIND = f"people {form_of(__file__, noted.__file__)}"
_CONTACT = re.compile(r"\s*([^<>]*?)\s*<([^<>]*)>\s*")


def read_noted(repo: Repository, previous: Sha | None, tip: Sha, kept: Kept | None = None) -> Noted:
    """For the notes of the commit ``tip`` since the ``previous`` release (a commit; ``None``: the first release)."""
    commits = {c.sha: c for c in read_commits(repo, (tip, *([f"^{previous}"] if previous else ())))}
    people = _mapped(repo.git, tip, dict.fromkeys(p for c in commits.values() for p in authors(c)))
    earlier = frozenset[str]() if previous is None else _earlier(repo, previous, tip, kept)
    return Noted(_brought(commits, tip), people, None if repo.git.shallow else earlier)


def _brought(commits: Mapping[Sha, Commit], tip: Sha) -> dict[Sha, tuple[Commit, ...]]:
    """By merge, the first-parent commits of the branches merged; each under the first merge that has it."""
    taken: set[Sha] = set()
    found: dict[Sha, tuple[Commit, ...]] = {}

    def chain(start: Sha) -> tuple[Commit, ...]:
        out: list[Commit] = []
        at = start
        while at in commits and at not in taken:
            taken.add(at)
            out.append(commits[at])
            at = commits[at].parents[0] if commits[at].parents else ""
        return tuple(reversed(out))

    waiting = list(chain(tip))
    while waiting:
        merge = waiting.pop(0)
        brought = tuple(c for p in merge.parents[1:] for c in chain(p))
        if len(merge.parents) > 1:
            found[merge.sha] = brought
        waiting = [*(c for c in brought if len(c.parents) > 1), *waiting]
    return found


def _mailmap(commit: Sha) -> tuple[str, ...]:
    """Only the release's own: neither the user's nor what lies in a work tree."""
    return ("-c", "mailmap.file=", "-c", f"mailmap.blob={commit}:.mailmap")


def _mapped(git: Git, commit: Sha, people: Iterable[Person]) -> dict[Person, Person]:
    """Those whom the mailmap gives another name or address."""
    asked = [p for p in people if _CONTACT.fullmatch(f"{p.name} <{p.email}>") and p.name.strip() and p.email.strip()]
    if not asked:
        return {}
    lines = "".join(f"{' '.join(p.name.split())} <{p.email.strip()}>\n" for p in asked)
    answers = git.run(*_mailmap(commit), "check-mailmap", "--stdin", input=lines.encode("utf-8", "replace"))
    found = {}
    for person, answer in zip(asked, answers.split("\n"), strict=False):
        there = _CONTACT.fullmatch(answer)
        now = Person(there[1], there[2]) if there else person
        if now != person:
            found[person] = now
    return found


def _earlier(repo: Repository, previous: Sha, tip: Sha, kept: Kept | None) -> frozenset[str]:
    """Keys of all authors and co-authors up to a release. History does not change, so this is kept between runs."""
    git = repo.git
    mailmap = git.try_run("rev-parse", "--verify", "--quiet", f"{tip}:.mailmap")[1].strip()
    name = f"{previous} {mailmap}"
    known = kept.get(_KIND, (name,)).get(name) if kept and is_plain(git) else None
    if known is not None and (keys := _read(known)) is not None:
        return keys
    form = "%aN%x00%aE%x00%(trailers:key=Co-authored-by,valueonly,unfold,separator=%x02)%x00"
    fields = git.run(*_mailmap(tip), "log", f"--format={form}", previous, "--").split("\0")
    own = {Person(fields[i].lstrip("\n"), fields[i + 1]) for i in range(0, len(fields) - 3, 3)}
    named = {word for i in range(2, len(fields), 3) for word in fields[i].split("\x02") if word}
    others = [Person(c[1], c[2]) for word in sorted(named) if (c := _CONTACT.fullmatch(word))]
    mapped = _mapped(git, tip, others)
    found = frozenset(k for p in (*own, *others, *mapped.values()) for k in p.keys)
    if kept and is_plain(git):
        kept.put(_KIND, {name: json.dumps(sorted(found)).encode()})
    return found


def _read(data: bytes) -> frozenset[str] | None:
    try:
        words = json.loads(data)
    except ValueError:
        return None
    return frozenset(words) if isinstance(words, list) and all(isinstance(w, str) for w in words) else None
