"""What the command of a remedy is on the board: the act that does the same, of those that are offered there. Pure.

A remedy's English names its command between backticks. Words of others may stand in it too; so nothing is made from it:
it only chooses among what the board offers anyway.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from headway.model.reason import Reason
from headway.model.text import Text
from headway.views.acts import Act, Verb

_COMMANDS: tuple[tuple[Verb, re.Pattern[str]], ...] = tuple(
    (verb, re.compile(pattern))
    for verb, pattern in (
        (Verb.APPROVE, r"headway approve \S+ (?P<of>\S+)"),
        (Verb.RELEASE_HOLD, r"headway release-hold (?P<version>\S+)"),
        (Verb.WAIVE, r"headway waive \S+ (?P<of>\S+)(?: --commit (?P<change>\S+))?"),
        (Verb.SLIP, r"headway slip \S+"),
        (Verb.CUT, r"headway cut \S+"),
        (Verb.RETRY, r"headway tick --retry (?P<of>\S+)"),
        (Verb.PICK, r"headway pick request\b"),
        (Verb.AMEND, r"headway pick amend (?P<id>\d+)"),
        (Verb.REJECT, r"headway pick reject (?P<id>\d+)"),
        (Verb.WITHDRAW, r"headway pick withdraw (?P<id>\d+)"),
        (Verb.DROP, r"headway pick drop (?P<of>\S+)"),
        (Verb.SKIP, r"headway skip \S+"),
        (Verb.ABANDON, r"headway abandon \S+"),
    )
)
_WHOLE = 12  # digits of a commit that name it


def mending(wait: Reason, acts: Sequence[Act]) -> tuple[Act, ...]:
    """The acts that do what a wait's remedy says, in the order in which it names them."""
    found = (a for named in _named(wait.remedy) for a in acts if _is(a, *named))
    return tuple({(a.path, a.of, a.change): a for a in found}.values())


def _named(remedy: Text) -> Iterator[tuple[Verb, str, str]]:
    """What the commands of a remedy do: the verb, what it is of, and the one change that it is for."""
    for command in str(remedy).split("`")[1::2]:
        for verb, pattern in _COMMANDS:
            said = pattern.match(command)
            if said is not None:
                known = said.groupdict()
                of = f"pick:{known['id']}" if "id" in known else known.get("of") or ""
                yield verb, of, known.get("change") or ""


def _is(act: Act, verb: Verb, of: str, change: str) -> bool:
    return act.verb is verb and _same(act.of, of) and _same(act.change, change)


def _same(one: str, other: str) -> bool:
    """Of commits, a remedy and an act may give more or fewer digits."""
    return one == other or (min(len(one), len(other)) >= _WHOLE and (one.startswith(other) or other.startswith(one)))
