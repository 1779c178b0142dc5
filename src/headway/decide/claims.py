"""What a request says that its evidence shows, from its flags and from its evidence strings (P2–P4)."""

from __future__ import annotations

import re
from dataclasses import fields

from headway.model.pick import Claims, PickRequest
from headway.policy.schema import Policy
from headway.policy.scheme import branch_of, final_tag, parse_version

_SAID = re.compile(r"^\s*(good|bad|perf|test|symptom|feature)\s*[:=](?!//)\s*(\S.*?)\s*$", re.IGNORECASE | re.DOTALL)
_TEST_FILE = re.compile(r"^[^\s:]+\.py(?:::\S.*)?$")
_TEST_PATH = re.compile(r"(?:^|/)(?:tests?/|test_[^/]*\.py|[^/]*_test\.py)")
_CHANGE_URL = re.compile(r"^https?://\S*/(?:pulls?|merge_requests)/(\d+)\b|^https?://\S*/commit/([0-9a-f]{7,64})\b")
_CHANGE = re.compile(r"^(?:[\w.-]+/[\w.-]+)?(#\d+)$|^(?:PR|pull)\s*#?(\d+)$|^([0-9a-f]{7,64})$", re.IGNORECASE)


def claims_of(request: PickRequest) -> Claims:
    """What is claimed; a flag wins over evidence, of two pieces of evidence the first.

    Evidence counts as a claim when it is written ``good=0.7.0`` or ``good: 0.7.0`` (also bad, perf, test, symptom and
    feature), or when it is a path of tests.
    """
    said: dict[str, str] = {}
    for text in request.evidence:
        found = _SAID.match(text)
        if found:
            said.setdefault(found[1].lower(), found[2])
        elif _is_test(text.strip()):
            said.setdefault("test", text.strip())
    flags = {f.name: getattr(request.claims, f.name).strip() for f in fields(Claims)}
    return Claims(**{**said, **{k: v for k, v in flags.items() if v}})


def _is_test(text: str) -> bool:
    path = text.partition("::")[0]
    return _TEST_FILE.match(text) is not None and ("::" in text or _TEST_PATH.search(path) is not None)


def path_of_test(test: str) -> str:
    """The file of a test id."""
    return test.partition("::")[0].strip().removeprefix("./")


def names_in_test(test: str) -> tuple[str, ...]:
    """The classes and functions that a test id names in its file, without parameters."""
    return tuple(part.partition("[")[0].strip() for part in test.split("::")[1:])


def feature_names(request: PickRequest) -> tuple[str, ...]:
    """By which names the feature is looked for (P4): the one that is claimed, else each piece of evidence that names a
    change."""
    claimed = claims_of(request).feature
    if claimed:
        return (_change_of(claimed) or claimed,)
    return tuple(name for text in request.evidence if (name := _change_of(text.strip())))


def _change_of(text: str) -> str | None:
    url = _CHANGE_URL.match(text)
    if url:
        return f"#{url[1]}" if url[1] else url[2]
    found = _CHANGE.match(text)
    return (found[1] or (f"#{found[2]}" if found[2] else found[3])) if found else None


def spellings(name: str, policy: Policy) -> tuple[str, ...]:
    """By which names git may know a release or candidate that a person typed, in turn; none for nothing."""
    version = parse_version(name.removeprefix("v"))
    if version is None:
        return (name,) if name else ()
    return (final_tag(version, policy.versions), name, branch_of(version, policy.versions))
