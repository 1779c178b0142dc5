"""Release notes as the JSON document of the command contract (N2)."""

from __future__ import annotations

from typing import Any

from headway.decide.notedocument import name_of
from headway.decide.noteedit import placed
from headway.model.text import Text, say
from headway.noting import Report


def notes_json(report: Report) -> dict[str, Any]:
    """The notes as the contract has them, and more."""
    made, first = report.notes, report.notes.people.first_time
    places = {item.name: section for section, item in placed(report.items())}
    rows = [
        {
            "commit": t.change.commit.sha,
            "origin": t.change.origin.sha,
            "pr": t.pr,
            "title": t.title,
            "author": t.change.origin.author,
            "section": places.get(name_of(t), t.section),
            "group": made.groups[t.group].title if t.group is not None else None,
            "listed": name_of(t) in places,
        }
        for t in made.told
    ]
    names = {(r["section"], r["group"]): None for r in rows if r["group"] is not None}
    groups = [
        {"section": s, "title": g, "lines": [r["title"] for r in rows if (r["section"], r["group"]) == (s, g)]}
        for s, g in names
    ]
    return {
        "version": report.version,
        "previous": report.previous,
        "sections": {name: list(lines) for name, lines in report.sections},
        "groups": groups,
        "changes": rows,
        "first_time": None
        if first is None
        else [{"name": f.person.name, "pr": f.change.origin.pr, "title": f.change.origin.title} for f in first],
        "left_out": [{"commit": c.commit.sha, "title": c.origin.title, "why": why} for c, why in made.left_out],
        "performance": made.figures.counts() if made.figures else None,
        "edited": {"by": report.entry.actor, "entry": report.entry.seq} if report.entry else None,
        "warnings": [str(w) for w in warnings_of(report)],
        "markdown": report.markdown(),
    }


def warnings_of(report: Report) -> tuple[Text, ...]:
    """What a person should know before these notes are published."""
    found = []
    for lost in report.lost:
        if lost.gone:
            text = say(
                "its change is not in the release any more, so this line of yours is gone: {text}", text=lost.text
            )
        elif lost.stay:
            text = say("what it was made from has changed since you wrote this: {text}", text=lost.text)
        else:
            text = say("it is not true any more, so this of yours is gone: {text}", text=lost.text)
        found.append(text)
    if report.notes.people.first_time is None:
        found.append(say("history is missing in this clone, so nobody can tell who contributed for the first time"))
    return tuple(found)
