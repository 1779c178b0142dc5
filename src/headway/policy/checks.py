"""What a schema cannot say: the meaning of a policy's values. Every finding, not the first one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import MAXYEAR, MINYEAR, date
from itertools import pairwise
from urllib.parse import urlsplit

from packaging.version import Version

from headway.errors import UnusableInput
from headway.policy.board_checks import board_problems
from headway.policy.clauses import CLAUSES
from headway.policy.forge_tables import INPUTS
from headway.policy.forgekinds import GITHUB, NONE, known_kinds, registered
from headway.policy.gate_checks import check_problems, gate_problems
from headway.policy.image_checks import image_problems
from headway.policy.perf_jobs import needs_client
from headway.policy.problems import Problem, nearest
from headway.policy.recut import first_name
from headway.policy.schema import Naming, Policy, Versions
from headway.policy.scheme import CandidateName, candidate_tag, is_fix, parse_version, read_final_tag
from headway.policy.toml_lines import Path
from headway.policy.zone import zone
from headway.process import command_line
from headway.stats.metrics import EXAMPLES, direction

_DAYS = frozenset({"mon", "tue", "wed", "thu", "fri", "sat", "sun"})
_BUILD = ("python", "source", "out", "version")
_SERVE = ("python", "host", "port", "model", "seed", "branch", "commit", "version")
_CLIENT = (*_SERVE, "base_url", "result")
_URI = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$")
_FIELD = re.compile(r"\{\w*\}")
_MOST_INPUTS = 25
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
        _builder,
        _forge,
        board_problems,
        _perf,
        _people,
        image_problems,
        _note_groups,
        _trust,
        _promotion,
        check_problems,
        gate_problems,
    )
    return [problem for part in parts for problem in part(policy)]


def _names(policy: Policy) -> Iterator[Problem]:
    if policy.embargo.branch.count("{branch}") != 1 or _BAD_REF.search(policy.embargo.branch.replace("{branch}", "b")):
        yield Problem(("embargo", "branch"), "must be a name that git accepts and hold {branch} exactly once")
    elif policy.embargo.branch == "{branch}":
        yield Problem(("embargo", "branch"), "is the release branch itself, which is not private")
    yield from _recut(policy.versions)
    yield from _naming(policy.versions, ("versions",))
    for i, earlier in enumerate(policy.versions.earlier):
        at: Path = ("versions", "earlier", i)
        if parse_version(earlier.below) is None:
            yield Problem((*at, "below"), f"{earlier.below!r} is not a version")
        yield from _naming(earlier, at)


def _naming(names: Naming, at: Path) -> Iterator[Problem]:
    templates = (
        ("branch", names.branch, (_of_branch(names.branch),)),
        *((f"branch_also {i}", template, (_of_branch(template),)) for i, template in enumerate(names.branch_also)),
        ("final_tag", names.final_tag, ("{version}",)),
        ("candidate_tag", names.candidate_tag, ("{version}", "{n}")),
    )
    unsound: set[str] = set()
    for key, template, fields in templates:
        of = (*at, *(int(k) if k.isdigit() else k for k in key.split()))
        rest = template
        for field in fields:
            if template.count(field) != 1:
                yield Problem(of, f"must hold {field} exactly once")
                unsound.add(key)
            rest = rest.replace(field, "1")
        if "{" in rest or "}" in rest:
            yield Problem(of, f"holds a field other than {' and '.join(fields)}")
            unsound.add(key)
        elif _BAD_REF.search(rest):
            yield Problem(of, "is not a name that git accepts")
            unsound.add(key)
    if not unsound & {"final_tag", "candidate_tag"}:
        alone = Versions.model_validate({**names.model_dump(include=set(Naming.model_fields))})
        as_final = read_final_tag(candidate_tag(CandidateName(Version("1.2.3"), 4), alone), alone)
        if as_final is not None:
            yield Problem((*at, "candidate_tag"), f"candidate 4 of 1.2.3 would read as the final tag of {as_final}")
    patches = names.fix_counts == "patch" or (names.scheme == "minor-train" and not names.fix_counts)
    if names.scheme == "right-shifted" and names.fix_counts == "patch":
        yield Problem(
            (*at, "fix_counts"), "a right-shifted patch is a regular release, so a fix cannot be one (V3, V4)"
        )
    if "{line}" in names.branch and not patches:
        yield Problem(
            (*at, "branch"), "{line} is one branch for all patches of a line: only where patches are fix releases"
        )
    if "{line}" in names.branch and names.fix_branch == "own":
        yield Problem((*at, "fix_branch"), "a branch of its own for each fix release needs {version} in `branch`")


def _of_branch(template: str) -> str:
    return "{line}" if "{line}" in template else "{version}"


def _recut(names: Versions) -> Iterator[Problem]:
    again = names.recut_branch
    at: Path = ("versions", "recut_branch")
    if again.count("{branch}") != 1 or again.count("{n}") != 1:
        yield Problem(at, "must hold {branch} and {n} exactly once each")
    elif _BAD_REF.search(again.replace("{branch}", "b").replace("{n}", "2")):
        yield Problem(at, "is not a name that git accepts")
    elif any(first_name(plain, names) != plain for plain in _plain_branches(names)):
        yield Problem(at, "a release branch would read as one that was cut again")
    if names.guard_from and parse_version(names.guard_from) is None:
        yield Problem(("versions", "guard_from"), f"{names.guard_from!r} is not a release version")


def _plain_branches(names: Versions) -> list[str]:
    """Release branches by each of the policy's templates."""
    templates = (t for each in (names, *names.earlier) for t in (each.branch, *each.branch_also))
    return [t.replace("{version}", "1.2.3").replace("{line}", "1.2") for t in templates]


def _cadence(policy: Policy) -> Iterator[Problem]:
    c = policy.cadence
    anchor = parse_version(c.anchor_version)
    sound = all(parse_version(e.below) for e in policy.versions.earlier)
    if anchor is None or (sound and is_fix(anchor, policy.versions)):
        yield Problem(("cadence", "anchor_version"), f"{c.anchor_version!r} is not a regular version (V1–V3)")
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
    yield from _blackout(c.blackout)
    try:
        zone(c.timezone)
    except ValueError:
        yield Problem(("cadence", "timezone"), f"{c.timezone!r} is not a zone of the IANA database, such as UTC")


def _blackout(blackout: tuple[str, ...]) -> Iterator[Problem]:
    for i, word in enumerate(blackout):
        first, span, last = word.partition("..")
        if span and _is_day(first) and _is_day(last):
            if first > last:
                yield Problem(("cadence", "blackout", i), f"the span ends before it begins: {last} is before {first}")
        elif word not in _DAYS and not _is_day(word):
            yield Problem(
                ("cadence", "blackout", i),
                f"{word!r} is neither an ISO date, nor a span like 2025-10-01..2025-10-08, nor one of mon … sun",
                nearest(word.lower()[:3], _DAYS),
            )
    if set(blackout) >= _DAYS:
        yield Problem(("cadence", "blackout"), "no day of the week is left to release on")


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
        (("notes", "leave_out"), policy.notes.leave_out),
        (("notes", "bots"), policy.notes.bots),
    )
    each = [((*path, i), pattern) for path, patterns in lists for i, pattern in enumerate(patterns)]
    each += [
        (("notes", "groups", i, "titles", j), pattern)
        for i, group in enumerate(policy.notes.groups)
        for j, pattern in enumerate(group.titles)
    ]
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


def _builder(policy: Policy) -> Iterator[Problem]:
    at: Path = ("build", "github")
    rules, url = policy.build.github, urlsplit(policy.forge.api_url)
    if url.scheme not in {"http", "https"} or not url.hostname or url.username or url.password:
        yield Problem(("forge", "api_url"), "is not an http(s) address without credentials")
    for name, value in rules.inputs.items():
        for field in sorted(set(_FIELD.findall(value)) - {"{" + f + "}" for f in INPUTS}):
            allowed = " ".join("{" + f + "}" for f in INPUTS)
            yield Problem((*at, "inputs", name), f"{field} is not known here; the fields are {allowed}")
    if len(rules.inputs) > _MOST_INPUTS:
        yield Problem((*at, "inputs"), f"GitHub takes at most {_MOST_INPUTS} inputs")
    if not re.fullmatch(r"[\w.-]+\.ya?ml", rules.workflow):
        yield Problem((*at, "workflow"), f"{rules.workflow!r} is not the file name of a workflow, such as build.yml")
    yield from _remote((*at, "remote"), rules.remote)
    if policy.build.by == "github" and not re.fullmatch(r"[\w.-]+/[\w.-]+", policy.project.repository):
        yield Problem(("project", "repository"), "must be owner/name when `build.by` is github")
    if policy.forge.kind not in {NONE, GITHUB}:  # `forge.api_url` and the token are another's
        for by, path in ((policy.build.by, ("build", "by")), (policy.perf.runner, ("perf", "runner"))):
            if by == GITHUB:
                yield Problem(path, "`github` asks the GitHub of `forge.api_url`, and `forge.kind` names another forge")


def _forge(policy: Policy) -> Iterator[Problem]:
    forge, repository = policy.forge, policy.project.repository
    if forge.kind == NONE:
        return
    if forge.kind == GITHUB:
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
            yield Problem(("project", "repository"), "must be owner/name when `forge.kind` is github")
    elif not registered(forge.kind):
        kinds = known_kinds()
        words = f"{forge.kind!r} is no kind of forge that is installed here: {', '.join(kinds)}"
        yield Problem(("forge", "kind"), words, nearest(forge.kind, kinds))
    elif not re.fullmatch(r"[\w.-]+(/[\w.-]+)+", repository):  # GitLab's groups lie in groups
        yield Problem(("project", "repository"), f"must be owner/name when `forge.kind` is {forge.kind}")
    yield from _remote(("forge", "remote"), forge.remote)


def _remote(at: Path, remote: str) -> Iterator[Problem]:
    if remote.startswith("-"):
        yield Problem(at, "begins with a dash, which git would take for an option")
    if "://" in remote and "@" in urlsplit(remote).netloc and not remote.startswith("ssh://"):
        yield Problem(at, "holds credentials, which the ledger would show; give them to git's own helper")


def _perf(policy: Policy) -> Iterator[Problem]:
    looks = policy.perf.looks
    if any(b <= a for a, b in pairwise(looks)):
        yield Problem(("perf", "looks"), "must rise strictly")
    seen: dict[tuple[str, str, str], int] = {}
    asked: dict[tuple[str, str, str, str, bool], int] = {}
    for i, cell in enumerate(policy.perf.cells):
        first = seen.setdefault((cell.model, cell.hardware, cell.test), i)
        same = asked.setdefault((cell.model, cell.hardware, cell.serve, cell.client, needs_client(cell)), i)
        if first != i:
            yield Problem(("perf", "cells", i), f"has the model, hardware and test of cell {first}")
        elif same != i and policy.perf.runner != "github":  # whose tests are told apart by the workflow, by their names
            yield Problem(("perf", "cells", i), f"is the same test as cell {same}, under another name")
    named: list[tuple[Path, str]] = [
        *(
            (("perf", "cells", i, "metrics", j), m)
            for i, c in enumerate(policy.perf.cells)
            for j, m in enumerate(c.metrics)
        ),
        *((("perf", "margins", metric), metric) for metric in policy.perf.margins),
        *((("perf", "noise", i, "metric"), n.metric) for i, n in enumerate(policy.perf.noise)),
    ]
    for at, metric in named:
        if direction(metric) is None:
            what = f"{metric!r} is no metric that is known to be better one way, so nothing can be gated on it"
            yield Problem(at, what, nearest(metric, EXAMPLES))


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


def _note_groups(policy: Policy) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for i, group in enumerate(policy.notes.groups):
        if seen.setdefault(group.title.casefold(), i) != i:
            yield Problem(("notes", "groups", i, "title"), f"is the title of group {seen[group.title.casefold()]} too")
        if not (group.prefixes or group.types or group.scopes or group.labels or group.titles):
            yield Problem(("notes", "groups", i), "says of no change that it belongs here")


def _trust(policy: Policy) -> Iterator[Problem]:
    if not _URI.match(policy.documents.builder):
        yield Problem(("documents", "builder"), "is not a URI")
    for key in ("trusted_publishing", "attestations"):
        if getattr(policy.index, key) != "no" and not policy.index.upload_url:
            yield Problem(("index", key), "is for an upload: give index.upload_url")


def _promotion(policy: Policy) -> Iterator[Problem]:
    if policy.promotion.version_files and policy.promotion.mode != "repack":
        yield Problem(("promotion", "version_files"), 'is for mode = "repack": the same bytes have no file to restate')
    url = policy.staging.url
    if url and (url.count("{tag}") != 1 or _FIELD.search(url.replace("{tag}", ""))):
        yield Problem(("staging", "url"), "must hold {tag} exactly once, and no other field")
    if (policy.staging.path or "staging") == (policy.index.path or "index"):
        yield Problem(("staging", "path"), "is the folder of the index itself")
