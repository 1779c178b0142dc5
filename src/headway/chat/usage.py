"""Every command: its form, who may give it, what it does, an example. Answers and handbook are made of these."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from headway.chat.cherrypick import WORD as CHERRY_PICK
from headway.chat.words import is_line
from headway.decide.chatrights import Role
from headway.model.markdown import inside_code
from headway.model.text import Text, say

RELEASE = "v0.9.2"
_NAMES = re.compile(r"v0\.9\.[12]|release/2\.6|\b2025-(?:02-28|07-08|07-15)\b")


@dataclass(frozen=True, slots=True)
class Form:
    """``form`` and ``example`` are what is typed, with NAME for the name in ``talk.mention``."""

    word: str
    form: str
    role: Role
    does: Text
    example: str


FORMS: tuple[Form, ...] = (
    Form(
        "pick",
        "/pick VERSION [CHANGE] CATEGORY REASON… [evidence: URL] [good: RELEASE bad: RELEASE]",
        Role.REQUEST,
        say("asks for a change on a release branch, or says more of one's own request for it"),
        "/pick v0.9.2 regression decoding is slow again evidence: https://example.org/1 good: v0.9.1 bad: main",
    ),
    Form(
        CHERRY_PICK,
        "@NAME cherry-pick --onto BRANCH -c CATEGORY [--fixes ISSUE]",
        Role.REQUEST,
        say("the same, as PyTorch's bot has it"),
        '@NAME cherry-pick --onto release/2.6 -c regression --fixes "#123"',
    ),
    Form(
        "approve",
        "/approve [VERSION] [GATE | pick:ID | revert:SHA]",
        Role.REVIEW,
        say("opens a gate, or lets a request or a resolved revert in"),
        "/approve v0.9.2 pick:12",
    ),
    Form(
        "reject", "/reject [ID] REASON…", Role.REVIEW, say("a reviewer's no to a request"), "/reject 12 it is a feature"
    ),
    Form(
        "withdraw",
        "/withdraw [ID] [REASON…]",
        Role.REQUEST,
        say("takes one's own request back"),
        "/withdraw 12 not needed",
    ),
    Form("hold", "/hold VERSION REASON…", Role.MANAGE, say("stops a train"), "/hold v0.9.2 the runners are down"),
    Form("release-hold", "/release-hold VERSION", Role.MANAGE, say("lets it go on"), "/release-hold v0.9.2"),
    Form(
        "waive",
        "/waive VERSION CLAUSE|CELL [--commit CHANGE] until DATE REASON…",
        Role.MANAGE,
        say("sets a clause or a performance cell aside until a day"),
        "/waive v0.9.2 E2 until 2025-07-08 no H100 is free",
    ),
    Form(
        "cut",
        "/cut VERSION [COMMIT]",
        Role.MANAGE,
        say("cuts a release branch, at a commit of the trunk or at the newest that is green"),
        "/cut v0.9.2",
    ),
    Form(
        "slip",
        "/slip VERSION to DATE REASON…",
        Role.MANAGE,
        say("gives a train another date"),
        "/slip v0.9.2 to 2025-07-15 the runners come back on Monday",
    ),
    Form(
        "abandon",
        "/abandon VERSION REASON…",
        Role.MANAGE,
        say("gives a train up, before its cut or after it"),
        "/abandon v0.9.2 the next one has it all",
    ),
    Form(
        "adopt",
        "/adopt COMMIT CATEGORY REASON…",
        Role.REVIEW,
        say("explains a commit that somebody put on a release branch by hand"),
        "/adopt 0123abcd release-branch its CI runs elsewhere",
    ),
    Form(
        "drop",
        "/drop COMMIT REASON…",
        Role.REVIEW,
        say("has a commit taken out of a release branch again"),
        "/drop 0123abcd it breaks the build",
    ),
    Form(
        "resolve",
        "/resolve",
        Role.REQUEST,
        say("on the pull request of a conflict: its head is the resolution"),
        "/resolve",
    ),
    Form(
        "status",
        "/status [VERSION]",
        Role.ASK,
        say("tells where the trains are and what they wait for"),
        "/status v0.9.2",
    ),
    Form("headway", "/headway help", Role.ASK, say("tells all this"), "/headway help"),
)


def form_of(word: str) -> Form:
    """The form of a command of ours. Raises ``StopIteration`` for another word."""
    return next(f for f in FORMS if f.word == word)


def typed(text: str, mention: str) -> str:
    """A form or an example as this project types it."""
    return text.replace("@NAME", f"@{mention}")


def for_train(text: str, tag: str, name: str, previous: object, branch: str, day: date) -> str:
    """An example with the names and the day of a train of this project in place of those of the handbook."""
    release = tag if is_line(tag) else name
    before = f"{'v' if release.startswith('v') else ''}{previous}" if previous else "v0.9.1"
    own = {RELEASE: release, "v0.9.1": before, "release/2.6": branch}
    return _NAMES.sub(lambda m: inside_code(own.get(m[0], day.isoformat()), 100), text)


def usage(mention: str, forms: Iterable[Form] = FORMS) -> str:
    """Forms as a block of code."""
    return "\n".join(("```text", *(typed(f.form, mention) for f in forms), "```"))
