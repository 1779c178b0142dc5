"""What Headway says, as it stands on a forge: what mends something is the comment that does it, where one can; and
nothing of the machine that ticks, neither its folders nor names that are for programs. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from headway.model.reason import Reason
from headway.model.text import Fact, Facts, Text, flat, say

_HERE = "the log on the machine that ticks"
_FILE = "a file on the machine that ticks"
_ABSOLUTE = re.compile(r"(?<![\w/:.~+@-])(?:~|[A-Za-z]:)?(?:[/\\][\w.+@-]*[\w+@-]){2,}/?")
_PLACES = frozenset({"log", "path", "where", "place", "folder", "ledger", "target", "store", "file", "why"})

_IN_COMMENTS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), typed)
    for pattern, typed in (
        (r"`headway approve (\S+) ([^\s`]+)`", r"`/approve \1 \2`"),
        (
            r"`headway waive (\S+) ([^`]+?)( --commit [^\s`]+)?(?: --reason …)?(?: --until DATE)?(?: …)?`",
            r"`/waive \1 \2\3 until DATE REASON…`",
        ),
        (r"`headway release-hold ([^\s`]+)`", r"`/release-hold \1`"),
        (
            r"`headway pick request (\S+) --onto (\S+) --category … --reason …`",
            r"`/pick \2 \1 CATEGORY REASON…`",
        ),
        (r"`headway pick request (\S+) --onto (\S+) --category (\S+) --reason …`", r"`/pick \2 \1 \3 REASON…`"),
        (r"`headway pick request (\S+) --onto (\S+) …`", r"`/pick \2 \1 CATEGORY REASON…`"),
        (r"`headway pick request …`", "`/pick VERSION CATEGORY REASON…`"),
        (r"`headway pick amend [^\s`]+ --evidence …`", "`/pick` again, with `evidence: URL`"),
        (r"`headway pick amend [^\s`]+`", "`/pick` again"),
        (
            r"`git commit -a`, `headway pick resolve [^\s`]+`",
            "`git commit -a`, `git push`, then `/resolve` on the draft pull request of the conflict",
        ),
        (r"`headway pick resolve [^\s`]+`", "`/resolve` on the pull request of the conflict"),
        (r"`headway pick (reject|withdraw) (\S+) --reason …`", r"`/\1 \2 REASON…`"),
        (r"`headway slip (\S+) --to DATE --reason …`", r"`/slip \1 to DATE REASON…`"),
        (r"`headway abandon ([^\s`]+)(?: --reason …)?`", r"`/abandon \1 REASON…`"),
        (r"`headway cut ([^\s`]+)(?: --at)?( \S+)?`", r"`/cut \1\2`"),
        (r"`headway pick drop (\S+) --reason …`", r"`/drop \1 REASON…`"),
        (r"`headway adopt (\S+) --category …`", r"`/adopt \1 CATEGORY REASON…`"),
        (r"`headway adopt`", "`/adopt COMMIT CATEGORY REASON…`"),
        (r"`headway (?:status|plan)( [^\s`]+)?`", r"`/status\1`"),
        (r"`headway release-hold`(?! where)", "`headway release-hold` where Headway runs"),
        (r"gate pick:ID", "`/approve pick:ID`"),
        (r"`headway pick (?:list|show [^\s`]+)`", "the picks in the train's issue"),
        (r"`headway tick`", "the next tick"),
        (r"--(good|bad|perf|test|symptom|feature|evidence)( RELEASE| CANDIDATE| ID)?\b", r"`\1:\2`"),
        (r"; git fetch (?:--tags )?gets new ones", ""),
    )
)

_REMEDIES: Mapping[str, Text] = {
    "picks.no-category": say("name the category: `/pick VERSION CATEGORY REASON…`"),
    "picks.requested-already": say("its requester says more of it with `/pick` again"),
    "picks.no-origin": say("merge it on the trunk first, then `/pick` again"),
    "approve.refused-pick": say("mend what the gate names, then `/pick` again"),
    "pick.closed": say("ask for it again: `/pick`"),
    "pick.unknown-ref": say(
        "name its pull request (#123); a commit that is on no branch of the project yet: open a pull request with it, "
        "and name that"
    ),
    "hold.all": say("a release manager ends that one: `headway release-hold`"),
    "resolution.not-found": say(
        "SHA in `/approve revert:SHA` is the commit of the release branch that a revert takes out, once somebody has "
        "resolved that revert's conflict: no such revert waits for an approval; see `/status`"
    ),
}

_WORDS: Mapping[str, str] = {
    **{
        name: name
        for name in (
            "bad", "before", "branch", "candidate", "candidates", "categories", "category", "cells", "change",
            "check", "commit", "commits", "date", "draft", "feature", "files", "gate", "good", "image", "last", "lines",
            "missing", "names", "origin", "origins", "parents", "paths", "people", "person", "previous", "reason",
            "release", "releases", "request", "requests", "since", "stage", "step", "subject", "tag", "tags",
            "test", "until", "verdict", "verdicts", "version", "versions", "why",
        )
    },
    "allowed": "allowed are",
    "asked": "asked for",
    "by": "by",
    "held_by": "held by",
    "introduced_by": "came with",
    "reverted_by": "reverted by",
    "undoes": "takes out",
    "workspace": "its branch",
}  # fmt: skip
"""A fact's name to the word for people; those without one are for programs."""


def on_forge(r: Reason, *, commands: bool = True, line: str = "", category: str = "", request: int = 0) -> Reason:
    """A reason with its texts as they stand there, and of its facts those for which people have a word.

    ``commands``: whether comments command anything there. ``line``, ``category`` and number of the request that it is
    about go into the commands that it names.
    """
    known = told_facts(dict(r.facts))
    remedy = _numbered(_remedy(r, commands, line, category), request)
    return replace(r, text=written(r.text, commands=False), facts=known, remedy=remedy)


def _remedy(r: Reason, commands: bool, line: str, category: str) -> Text:
    if not commands:
        return written(r.remedy, commands=False)
    if r.code == "picks.needs-review":
        return say("a reviewer lets it in: `/approve pick:{id}`", id=dict(r.facts).get("request"))
    text = written(_REMEDIES.get(r.code, r.remedy))
    if r.code == "picks.no-evidence":
        if text.template == "{text}":
            text = Text("{text}", tuple((k, f"/pick again, and {v}") for k, v in text.values))
        else:
            text = Text(f"`/pick` again, and {text.template}", text.values)
    return _filled(text, line, category) if line else text


def _numbered(text: Text, request: int) -> Text:
    """With the request's number in the approval that is to be typed."""
    if not request:
        return text
    if text.template == "{text}":
        return Text("{text}", tuple((k, str(v).replace("pick:ID", f"pick:{request}")) for k, v in text.values))
    return Text(text.template.replace("pick:ID", f"pick:{request}"), text.values)


def _filled(text: Text, line: str, category: str) -> Text:
    """With the release in what is to be typed; the values stay values."""
    template = text.template.replace("`/pick` again", "`/pick {_line} {_category} REASON…` again")
    template = template.replace("`/pick VERSION CATEGORY", "`/pick {_line} {_category}")
    return Text(template, (*text.values, ("_line", line), ("_category", category or "CATEGORY")))


def written(text: Text, *, commands: bool = True) -> Text:
    """A text as it stands on a forge, where ``commands`` can be given in comments."""
    values = tuple((k, _told(k, flat(v))) for k, v in text.values)
    if text.template == "{text}":  # as the ledger has it
        return Text(text.template, tuple((k, words(str(v), commands=commands)) for k, v in values))
    return Text(words(text.template) if commands else text.template, values)


def words(text: str, *, commands: bool = True) -> str:
    """The same of words, or of a template."""
    if commands:
        for pattern, typed in _IN_COMMENTS:
            text = pattern.sub(typed, text)
    return text


def told_facts(known: Mapping[str, Fact]) -> Facts:
    """Facts under their words for people, without those that have none; nothing of the machine's folders."""
    return tuple(
        (_WORDS[name], _told(name, value))
        for name, value in known.items()
        if name in _WORDS and not isinstance(value, bool)
    )


def _told(name: str, value: Fact) -> Fact:
    if name not in _PLACES or not isinstance(value, str):
        return value
    if _ABSOLUTE.fullmatch(value):
        return _HERE if name == "log" else _FILE
    return _ABSOLUTE.sub(_FILE, value)
