"""An audit as a person reads it: the same sections for the terminal, Markdown and HTML."""

from __future__ import annotations

import html
import json
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from headway.model.identity import SURE
from headway.model.text import Text, say

if TYPE_CHECKING:  # what shows a kept report has no need of what made it
    from headway.decide.audit import Audit, AuditedCommit
    from headway.model.commit import Commit, Line, Sha

Translate = Callable[[Text], str]
_ELSEWHERE = "not-on-branch"  # a revert of no concern: the document lists them too
_SHORT = 12  # hex digits of a SHA that are shown


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, a table (titles and rows of cells), and what to say when there is no row."""

    heading: str
    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    none: str


@dataclass(frozen=True, slots=True)
class Report:
    """All that the command shows: the JSON document, and title and sections by language."""

    clean: bool
    document: dict[str, Any]
    titles: dict[str, str]
    sections: dict[str, tuple[Section, ...]]

    def packed(self) -> bytes:
        """As ``unpacked`` reads it."""
        rows = {lang: [[s.heading, s.titles, s.rows, s.none] for s in some] for lang, some in self.sections.items()}
        return zlib.compress(json.dumps([self.clean, self.document, self.titles, rows]).encode(), 1)

    @classmethod
    def unpacked(cls, data: bytes) -> Report | None:
        """The report, or ``None`` for what is none."""
        try:
            clean, document, titles, rows = json.loads(zlib.decompress(data))
        except (zlib.error, ValueError):
            return None
        sections = {
            lang: tuple(Section(h, tuple(t), tuple(map(tuple, r)), none) for h, t, r, none in some)
            for lang, some in rows.items()
        }
        return cls(clean, document, titles, sections)


def headline(line: Line, trunk: str, audit: Audit) -> Text:
    """What it comes to, in one sentence."""
    return say(
        "{branch} against {trunk}, cut at {cut}. Commits: {commits}; violations: {violations}; "
        "reverts missed: {reverts}; fixes not picked: {fixes}",
        branch=line.branch,
        trunk=trunk,
        cut=line.cut[:_SHORT],
        commits=len(audit.commits),
        violations=sum(len(c.violations) for c in audit.commits),
        reverts=len(audit.needed),
        fixes=len(audit.missing),
    )


def sections(audit: Audit, tr: Translate, word: Callable[[str], str]) -> tuple[Section, ...]:
    """What breaks policy first, then all commits."""
    bad = [(v.clause, _short(c.commit), c.commit.title, tr(v.text)) for c in audit.commits for v in c.violations]
    waived = [
        (e.payload["what"], _short(c.commit), c.commit.title, e.actor, e.payload["until"], e.payload["reason"])
        for c in audit.commits
        for e in c.waivers
    ]
    waived = [
        *((e.payload["what"], "-", e.train, e.actor, e.payload["until"], e.payload["reason"]) for e in audit.waivers),
        *waived,
    ]
    reverts = [
        (word(f.verdict.value), _short(f.revert.commit), f.revert.commit.title, tr(f.why))
        for f in audit.reverts
        if f.verdict != _ELSEWHERE
    ]
    shipped = [
        (_short(s.finding.revert.commit), s.finding.revert.commit.title, " ".join(s.tags)) for s in audit.shipped
    ]
    only = [(_short(b.commit), b.commit.title) for b in audit.branch_only if b.kind == "revert"]
    missing = [
        (_short(m.fix.commit), m.fix.commit.title, " ".join(h[:_SHORT] for h in m.holders)) for m in audit.missing
    ]
    sha, subject = say("commit"), say("subject")
    found: tuple[tuple[Text, tuple[Text, ...], Sequence[tuple[str, ...]], Text], ...] = (
        (
            say("What breaks policy"),
            (say("clause"), sha, subject, say("why")),
            bad,
            say("nothing breaks policy"),
        ),
        (
            say("Waivers"),
            (say("clause"), sha, say("subject or release"), say("by"), say("until"), say("reason")),
            waived,
            say("none"),
        ),
        (
            say("Trunk reverts since the cut"),
            (say("verdict"), sha, subject, say("why")),
            reverts,
            say("none concerns this branch"),
        ),
        (say("Shipped, then reverted"), (sha, subject, say("tags")), shipped, say("none")),
        (say("Reverted on the branch only"), (sha, subject), only, say("none")),
        (say("Trunk fixes not picked"), (sha, subject, say("fixes on the branch")), missing, say("none")),
        (
            say("Commits of the branch"),
            (sha, say("origin"), say("confidence"), say("category"), subject),
            [_commit(c, word) for c in audit.commits],
            say("no commit since the cut"),
        ),
    )
    return tuple(Section(tr(h), tuple(map(tr, titles)), tuple(rows), tr(none)) for h, titles, rows, none in found)


def _short(commit: Commit) -> Sha:
    return commit.sha[:_SHORT]


def _commit(c: AuditedCommit, word: Callable[[str], str]) -> tuple[str, ...]:
    origins = " ".join(o[:_SHORT] for o in c.identity.origins) or "-"
    disputed = "".join(f" ≠{o[:_SHORT]}" for o in c.identity.disputed)
    sure = f"{c.identity.confidence:.2f}" if c.identity.origins else "-"
    doubt = " ?" if c.identity.origins and c.identity.confidence < SURE else ""
    return (_short(c.commit), origins + disputed, sure + doubt, word(c.category), c.commit.title)


def markdown(title: str, found: Sequence[Section]) -> str:
    """The report as a Markdown file; nothing that a message says is markup."""
    parts = [f"# {_md(title)}\n"]
    for s in found:
        parts.append(f"\n## {s.heading} ({len(s.rows)})\n\n")
        if not s.rows:
            parts.append(f"{s.none}\n")
            continue
        parts.append(f"| {' | '.join(map(_md, s.titles))} |\n|{'---|' * len(s.titles)}\n")
        parts += [f"| {' | '.join(map(_md, row))} |\n" for row in s.rows]
    return "".join(parts)


def _md(text: str) -> str:
    flat = " ".join(text.split())
    return re.sub(r"([\\`*_{}\[\]()#+!|~])", r"\\\1", html.escape(flat, quote=False)).replace("@", "&#64;")


_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 76rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.25rem } h2 { font-size: 1.05rem; margin-top: 2rem }
div { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #8884 }
td:not(:last-child) { font-variant-numeric: tabular-nums } p { color: GrayText }
"""


def page(title: str, found: Sequence[Section], lang: str) -> str:
    """The report as one HTML file that needs no other."""
    parts = [
        f'<!doctype html>\n<html lang="{"zh-Hans" if lang == "zh" else "en"}">\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n<h1>{html.escape(title)}</h1>\n"
    ]
    for s in found:
        parts.append(f"<h2>{html.escape(s.heading)} ({len(s.rows)})</h2>\n")
        if not s.rows:
            parts.append(f"<p>{html.escape(s.none)}</p>\n")
            continue
        head = "".join(f"<th>{html.escape(t)}</th>" for t in s.titles)
        body = "".join("<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in row) + "</tr>\n" for row in s.rows)
        parts.append(f"<div><table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n")
    return "".join(parts) + "</html>\n"
