"""What is answered to commands: short Markdown, the verdict first, every reason with its clause and its remedy.

Nobody else's words do anything in it; see ``headway.model.markdown``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from headway.chat.commands import Wrong
from headway.chat.usage import FORMS, for_train, form_of, typed, usage
from headway.decide.mail import public
from headway.decide.onforge import on_forge
from headway.errors import HeadwayError
from headway.model.entry import Entry
from headway.model.markdown import LIMIT, inside_code, sentence, within
from headway.model.reason import Reason
from headway.model.text import Fact, Facts, Text, say
from headway.model.train import Train
from headway.plan.actions import Action, PrepareEmbargoed
from headway.plan.trainplan import TrainPlan
from headway.policy.clauses import CLAUSES

MOST_FACTS = 8
MOST_REASONS = 12
ROOM = 16_000  # characters for a mark, and for the verdicts of what is shortened
LONG = 160
"""Characters of a fact or of a typed line that are shown."""


class Outcome(StrEnum):
    """What became of a command. ``OPEN``: a person has to look at what it asks for."""

    YES = "yes"
    NO = "no"
    OPEN = "open"


_BOLD = {Outcome.YES: "**Yes:**", Outcome.NO: "**No:**", Outcome.OPEN: "**Open:**"}


@dataclass(frozen=True, slots=True)
class Said:
    """The answer to one command: ``text`` is Markdown; ``entries`` are those that it brought about."""

    outcome: Outcome
    text: str
    entries: tuple[Entry, ...] = ()


def _code(words: str) -> str:
    return f"`{inside_code(words, LONG)}`" if words.strip() else "-"


def reasons(found: Sequence[Reason], line: str = "", category: str = "", request: int = 0) -> list[str]:
    """Each in two lines of a list: clause, what is the matter and the facts; then what mends it. ``line``, ``category``
    and number of the request that they are about go into what is to be typed."""
    rows: list[str] = []
    for r in (on_forge(r, line=line, category=category, request=request) for r in found[:MOST_REASONS]):
        rows += [f"- **{r.clause}** {sentence(r.text)}{_facts(r.facts)}", f"  - {sentence(r.remedy)}"]
    if len(found) > MOST_REASONS:
        rows.append(f"- {sentence(say('and {count} more', count=len(found) - MOST_REASONS))}")
    return rows


def _facts(known: Facts) -> str:
    told = [f"{name} {_code(_value(v))}" for name, v in known if v not in (None, "", ())]
    return f" ({', '.join(told[:MOST_FACTS])})" if told else ""


def _value(fact: Fact) -> str:
    return ", ".join(fact) if isinstance(fact, tuple) else str(fact)


def clause_notes(found: Sequence[Reason]) -> list[str]:
    """What the clauses say that were named, each once."""
    named = dict.fromkeys(r.clause for r in found[:MOST_REASONS] if r.clause in CLAUSES)
    return ["", f"<sub>{' '.join(f'{c}: {CLAUSES[c]}' for c in named)}</sub>"] if named else []


def answer(
    outcome: Outcome,
    head: Text,
    why: Sequence[Reason] = (),
    entries: tuple[Entry, ...] = (),
    more: Sequence[Text] = (),
    about: tuple[str, str, int] = ("", "", 0),
) -> Said:
    """``head`` after the verdict, what speaks against it or is waited for, and ``more`` sentences. ``about``: the
    release, the category and the number of the request that was asked."""
    rows = [f"{_BOLD[outcome]} {sentence(head)}", *([""] if why or more else []), *reasons(why, *about)]
    rows += [f"- {sentence(text)}" for text in more]
    return Said(outcome, "\n".join((*rows, *clause_notes(why))), entries)


def refused(found: Sequence[Reason]) -> Said:
    """A control that was not carried out."""
    return answer(Outcome.NO, say("nothing was done"), found)


def failed(e: HeadwayError) -> Said:
    """Something in the command cannot be used."""
    said = on_forge(Reason(e.clause or "", e.code, e.message, e.facts, e.remedy))
    rows = [f"{_BOLD[Outcome.NO]} {sentence(said.text)}{_facts(said.facts)}", "", f"- {sentence(said.remedy)}"]
    return Said(Outcome.NO, "\n".join((*rows, *clause_notes((said,)))))


def misread(command: Wrong, mention: str, train: Train | None = None) -> Said:
    """What is wrong in a command, and its right form; with the names of a ``train`` in the example, where one is."""
    clause = f"**{command.clause}** " if command.clause else ""
    forms = FORMS if command.word == "headway" else (form_of(command.word),)
    rows = [f"{_BOLD[Outcome.NO]} {clause}{_own(sentence(command.what), train)}", "", usage(mention, forms)]
    if len(forms) == 1:
        rows += ["", f"For example: `{_own(typed(forms[0].example, mention), train)}`"]
    return Said(Outcome.NO, "\n".join(rows))


def _own(text: str, train: Train | None) -> str:
    if train is None:
        return text
    return for_train(text, train.tag, train.name, train.previous, train.branch, train.date)


def help_text(mention: str) -> Said:
    rows = [f"- `{typed(f.form, mention)}` ({f.role.value}): {sentence(f.does)}" for f in FORMS]
    head = say(
        "a command begins a line of a new comment, outside code and quotations; several are carried out in order"
    )
    return Said(Outcome.YES, "\n".join((sentence(head), "", *rows)))


def status(trains: Sequence[TrainPlan], in_words: Callable[[Action], Text]) -> Said:
    """Where trains are, what comes next and what each waits for; nothing of what is under embargo. ``in_words`` says
    what an action does."""
    rows: list[str] = []
    for t in trains:
        head = say(
            "{stage}, to be released on {date} (tentative), on {branch}",
            stage=t.stage.value,
            date=t.train.date,
            branch=t.train.branch,
        )
        rows += [f"**{within(t.train.name)}:** {sentence(head)}", ""]
        if t.candidates:
            newest = t.candidates[-1].facts
            rows.append(
                f"- {sentence(say('newest candidate: {tag} at {commit}', tag=newest.tag, commit=newest.commit[:12]))}"
            )
        if t.action is not None and not isinstance(t.action, PrepareEmbargoed):
            rows.append(f"- Next: {sentence(in_words(t.action))}")
        rows += [*reasons(public(t.waits), t.train.name), ""]
    return Said(Outcome.YES, "\n".join(rows).strip() or sentence(say("no train is on its way")))


def edited() -> Said:
    """A comment that was changed after it was written commands nothing."""
    return answer(
        Outcome.NO, say("the comment was edited, so nobody can tell which of its words were read: write a new one")
    )


def repeated(said: Said) -> Said:
    """The same once more in one comment."""
    if said.outcome is Outcome.NO:
        return answer(said.outcome, say("the same command stands above: it is answered there"))
    return answer(said.outcome, say("the same command stands above: it was carried out once"))


def whole(said: Sequence[tuple[str, Said]]) -> str:
    """The answer to a comment: of several commands, each under its line; of the last ones the verdict alone, where all
    would be more than a forge takes."""
    if len(said) == 1:
        return said[0][1].text
    rows: list[str] = []
    left = LIMIT - ROOM
    for line, one in said:
        text = one.text if len(one.text) < left else one.text.partition("\n")[0]
        rows.append(f"{_code(line)}\n\n{text}" if line else text)
        left -= len(rows[-1])
    return "\n\n".join(rows)
