"""The workflow by which GitHub Actions builds candidates, made from a policy: which tags start it (B4), which do not
(B5)."""

from __future__ import annotations

import re
from importlib import resources

from packaging.version import Version

from headway.errors import UnusableInput
from headway.model.text import facts, say
from headway.policy.schema import Policy, Versions
from headway.policy.scheme import CandidateName, candidate_tag, final_tag

_PATH = ".github/workflows/{workflow}"
_BY_TAG = "The tag of a candidate starts it (B4). The final tag does not match the filter, so it starts nothing (B5)."
_BY_DISPATCH = "Headway dispatches it on the tag of a candidate (B4); no tag starts it by itself (B5)."
# Of every kind, in one and in several digits
_SAMPLES = ("1.0.0", "0.7.2", "10.20.30", "0.7", "0.7.2.post1", "0.10.1.1", "2.0.0.post12")
_VERSION, _N = "{version}", "{n}"


def workflow_path(policy: Policy) -> str:
    """Where it belongs in the repository."""
    return _PATH.replace("{workflow}", policy.build.github.workflow)


def workflow_text(policy: Policy) -> str:
    """The workflow file. Raises ``UnusableInput`` (``workflow.tags``) when no filter tells candidates from releases."""
    names, by_tag = policy.versions, policy.build.github.trigger == "tag"
    filters = "".join(f"      - '{f}'\n" for f in tag_filters(names)) if by_tag else ""
    version = r"(?P<version>[0-9].*?)"
    patterns = [
        re.escape(t).replace(re.escape(_VERSION), version).replace(re.escape(_N), "[0-9]+") for t in _templates(names)
    ]
    filled = {
        "  # @PUSH@\n": f"  push:\n    tags:\n{filters}" if by_tag else "",
        "@WHAT@": _BY_TAG if by_tag else _BY_DISPATCH,
        "@MINUTES@": str(-(-policy.build.timeout_s // 60)),
        "@PATTERNS@": repr(patterns),
        "@ENV@": repr(sorted(policy.build.env.items())),
    }
    text = resources.files("headway").joinpath("templates", "github", "build.yml").read_text(encoding="utf-8")
    for mark, value in filled.items():
        text = text.replace(mark, value)
    return text


def _templates(names: Versions) -> tuple[str, ...]:
    """How candidates are named, now and by earlier namings."""
    return tuple(dict.fromkeys(n.candidate_tag for n in (names, *names.earlier)))


def tag_filters(names: Versions) -> tuple[str, ...]:
    """Filters of GitHub's that the tags of candidates pass, and no final tag. Raises ``UnusableInput``."""
    literal = [re.sub(r"([*?+\[\]!\\])", r"\\\1", t) for t in _templates(names)]
    found = tuple(t.replace(_VERSION, "[0-9]*").replace(_N, "[0-9]+") for t in literal)
    versions = [Version(v) for v in _SAMPLES]
    finals = [final_tag(v, names) for v in versions]
    candidates = [candidate_tag(CandidateName(v, n), names) for v in versions for n in (0, 1, 12)]
    started = {t for t in (*finals, *candidates) if any(passes(f, t) for f in found)}
    wrong = [t for t in finals if t in started] + [t for t in candidates if t not in started]
    if wrong:
        raise UnusableInput(
            "workflow.tags",
            say(
                "no filter of GitHub's tells the tags {candidates} from {finals}",
                candidates=names.candidate_tag,
                finals=names.final_tag,
            ),
            facts=facts(filters=found, wrong=wrong),
            remedy=say("name candidates otherwise in versions.candidate_tag, or set build.github.trigger to dispatch"),
            clause="B5",
        )
    return found


def passes(pattern: str, name: str) -> bool:
    """Whether a tag passes one filter, by the rules that GitHub documents ("Filter pattern cheat sheet").

    ``*`` is anything but a slash, ``**`` anything, ``?`` and ``+`` count the character before them, ``[]`` is one of
    its characters, a backslash takes the meaning of what follows.
    """
    out, i = "", 0
    while i < len(pattern):
        rest = pattern[i:]
        if rest.startswith("**"):
            out, i = out + ".*", i + 2
        elif rest[0] == "*":
            out, i = out + "[^/]*", i + 1
        elif rest[0] in "?+":
            out, i = out + rest[0], i + 1
        elif rest[0] == "[" and "]" in rest:
            end = rest.index("]")
            out, i = out + rest[: end + 1], i + end + 1
        elif rest[0] == "\\" and len(rest) > 1:
            out, i = out + re.escape(rest[1]), i + 2
        else:
            out, i = out + re.escape(rest[0]), i + 1
    return re.fullmatch(out, name, re.DOTALL) is not None
