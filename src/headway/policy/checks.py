"""What a schema cannot say: the meaning of a policy's values. Every finding, not the first one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import MAXYEAR, MINYEAR, date
from itertools import pairwise

from packaging.version import Version

from headway.errors import UnusableInput
from headway.policy.clauses import CLAUSES
from headway.policy.gate_checks import check_problems, gate_problems
from headway.policy.problems import Problem, nearest
from headway.policy.schema import Policy
from headway.policy.scheme import CandidateName, candidate_tag, parse_version, read_final_tag
from headway.policy.toml_lines import Path
from headway.policy.zone import zone
from headway.process import command_line

_DAYS = frozenset({"mon", "tue", "wed", "thu", "fri", "sat", "sun"})
_BUILD = ("python", "source", "out", "version")
_SERVE = ("python", "host", "port", "model", "seed", "branch", "commit", "version")
_CLIENT = (*_SERVE, "base_url", "result")
_FIELD = re.compile(r"\{\w*\}")
_MOST_A_MONTH = 28  # the shortest month has as many days, and no two releases share one
# git-check-ref-format(1), and no leading dash, which commands would take for an option
_BAD_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/]|[/.]$|(?:^|/)\.|\.lock(?:/|$)")


def meaning_problems(policy: Policy) -> list[Problem]:
    """All findings, in the order of the schema."""
    parts: tuple[Callable[[Policy], Iterator[Problem]], ...] = (
        _names,
        _cadence,
        _patterns,
        _phases,
        _commands,
        _perf,
        _people,
        check_problems,
        gate_problems,
    )
    return [problem for part in parts for problem in part(policy)]


def _names(policy: Policy) -> Iterator[Problem]:
    names = policy.versions
    templates = (
        ("branch", names.branch, ("{version}",)),
        ("final_tag", names.final_tag, ("{version}",)),
        ("candidate_tag", names.candidate_tag, ("{version}", "{n}")),
    )
    if policy.embargo.branch.count("{branch}") != 1 or _BAD_REF.search(policy.embargo.branch.replace("{branch}", "b")):
        yield Problem(("embargo", "branch"), "must be a name that git accepts and hold {branch} exactly once")
    elif policy.embargo.branch == "{branch}":
        yield Problem(("embargo", "branch"), "is the release branch itself, which is not private")
    unsound: set[str] = set()
    for key, template, fields in templates:
        rest = template
        for field in fields:
            if template.count(field) != 1:
                yield Problem(("versions", key), f"must hold {field} exactly once")
                unsound.add(key)
            rest = rest.replace(field, "1")
        if "{" in rest or "}" in rest:
            yield Problem(("versions", key), f"holds a field other than {' and '.join(fields)}")
            unsound.add(key)
        elif _BAD_REF.search(rest):
            yield Problem(("versions", key), "is not a name that git accepts")
            unsound.add(key)
    if not unsound & {"final_tag", "candidate_tag"}:
        as_final = read_final_tag(candidate_tag(CandidateName(Version("1.2.3"), 4), names), names)
        if as_final is not None:
            yield Problem(
                ("versions", "candidate_tag"), f"candidate 4 of 1.2.3 would read as the final tag of {as_final}"
            )


def _cadence(policy: Policy) -> Iterator[Problem]:
    c = policy.cadence
    anchor = parse_version(c.anchor_version)
    if anchor is None or anchor.post is not None:
        yield Problem(("cadence", "anchor_version"), f"{c.anchor_version!r} is not a major, minor or patch version")
    for year, counts in c.releases_per_month.items():
        at: Path = ("cadence", "releases_per_month", str(year))
        if not MINYEAR <= year <= MAXYEAR:
            yield Problem(at, "is not a year of the calendar")
        if len(counts) != 12:
            yield Problem(at, f"must hold twelve counts, one a month, and holds {len(counts)}")
        for i, count in enumerate(counts):
            if count > _MOST_A_MONTH:
                yield Problem((*at, i), f"{count} releases do not fit into a month: at most {_MOST_A_MONTH}")
    for key, (near, far) in (("cut_days_before", c.cut_days_before), ("post_days_after", c.post_days_after)):
        if near > far:
            yield Problem(("cadence", key), f"the window begins after it ends: {near} is more than {far}")
    for i, word in enumerate(c.blackout):
        if word not in _DAYS and not _is_day(word):
            yield Problem(
                ("cadence", "blackout", i),
                f"{word!r} is neither an ISO date nor one of mon … sun",
                nearest(word.lower()[:3], _DAYS),
            )
    if set(c.blackout) >= _DAYS:
        yield Problem(("cadence", "blackout"), "no day of the week is left to release on")
    try:
        zone(c.timezone)
    except ValueError:
        yield Problem(("cadence", "timezone"), f"{c.timezone!r} is not a zone of the IANA database, such as UTC")


def _is_day(word: str) -> bool:
    try:
        return date.fromisoformat(word).isoformat() == word
    except ValueError:
        return False


def _patterns(policy: Policy) -> Iterator[Problem]:
    lists: tuple[tuple[Path, tuple[str, ...]], ...] = (
        (("picks", "feature_titles"), policy.picks.feature_titles),
        (("notes", "features"), policy.notes.features),
        (("notes", "fixes"), policy.notes.fixes),
        (("notes", "breaking"), policy.notes.breaking),
        (("notes", "upcoming"), policy.notes.upcoming),
    )
    each = [((*path, i), pattern) for path, patterns in lists for i, pattern in enumerate(patterns)]
    each += [(("picks", "symptoms", name), pattern) for name, pattern in policy.picks.symptoms.items()]
    for at, pattern in each:
        try:
            re.compile(pattern)
        except (re.error, RecursionError, OverflowError) as e:
            yield Problem(at, f"is not a regular expression: {e}")


def _phases(policy: Policy) -> Iterator[Problem]:
    """Each begins nearer to the release than the one before it; only the first begins with the cut."""
    before: int | None = None
    for i, phase in enumerate(policy.picks.phases):
        at: Path = ("picks", "phases", i, "days_before")
        if i and phase.days_before is None:
            yield Problem(at, "is missing: only the first phase begins with the cut")
        elif before is not None and phase.days_before is not None and phase.days_before >= before:
            yield Problem(at, f"{phase.days_before} is not nearer to the release than {before} of the phase before it")
        before = phase.days_before if phase.days_before is not None else before


def _commands(policy: Policy) -> Iterator[Problem]:
    build, test, perf = policy.build, policy.test, policy.perf
    templates: list[tuple[Path, str, tuple[str, ...]]] = [
        (("cut", "check"), policy.cut.check, ("python", "source")),
        (("build", "command"), build.command, _BUILD),
        (("test", "command"), test.command, ("python", "version", "wheel")),
        (("perf", "serve"), perf.serve, _SERVE),
        (("perf", "client"), perf.client, _CLIENT),
    ]
    for i, cell in enumerate(perf.cells):
        templates.append((("perf", "cells", i, "serve"), cell.serve, _SERVE))
        templates.append((("perf", "cells", i, "client"), cell.client, _CLIENT))
    for path, template, fields in templates:
        try:
            command_line(template, **dict.fromkeys(fields, "x"))
        except (UnusableInput, AttributeError, TypeError):
            allowed = " ".join("{" + f + "}" for f in fields)
            yield Problem(path, f"{template!r} cannot be filled in (quotes, or a field that is not known): {allowed}")
    for name, value in build.env.items():
        for field in sorted(set(_FIELD.findall(value)) - {"{version}"}):
            yield Problem(("build", "env", name), f"{field} is not known here; the only field is {{version}}")
    if build.command.strip() == "":
        yield Problem(("build", "command"), "is empty, so nothing would be built")


def _perf(policy: Policy) -> Iterator[Problem]:
    looks = policy.perf.looks
    if any(b <= a for a, b in pairwise(looks)):
        yield Problem(("perf", "looks"), "must rise strictly")
    seen: dict[tuple[str, str, str], int] = {}
    for i, cell in enumerate(policy.perf.cells):
        first = seen.setdefault((cell.model, cell.hardware, cell.test), i)
        if first != i:
            yield Problem(("perf", "cells", i), f"has the model, hardware and test of cell {first}")


def _people(policy: Policy) -> Iterator[Problem]:
    gates: list[tuple[Path, tuple[str, ...], int]] = [
        (("review", "count"), policy.review.people, policy.review.count),
        (("embargo", "count"), policy.embargo.people, policy.embargo.count),
        *((("approvals", name, "count"), gate.people, gate.count) for name, gate in policy.approvals.items()),
    ]
    for at, people, count in gates:
        if people and count > len(set(people)):
            yield Problem(at, f"asks for {count} of {len(set(people))} people")
    for i, clause in enumerate(policy.waivers.clauses):
        if clause not in {"cell", "gate", *CLAUSES}:
            near = nearest(clause, ["cell", "gate"]) or nearest(clause.upper(), CLAUSES)
            yield Problem(("waivers", "clauses", i), f"{clause!r} is neither a clause nor `cell` or `gate`", near)
