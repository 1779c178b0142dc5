"""The one place that knows which forges there are: from a policy, the adapter of the kind that it names.

Adapters are loaded with the first question, so that a project without a forge pays for none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from headway.errors import UnusableInput
from headway.model.build import CiCheck, CiRun
from headway.model.commit import Sha
from headway.model.forgeport import ForgeAdapter, LoginBy
from headway.model.text import facts, one_line, say
from headway.policy.forgekinds import GITHUB, GROUP, NONE, registered
from headway.policy.schema import Policy

if TYPE_CHECKING:
    from headway.github.adapter import GitHubAdapter


def forge_of(policy: Policy) -> ForgeAdapter | None:
    """The adapter that ``forge.kind`` names, which has asked nothing yet; ``None`` where the project has no forge.

    Raises ``UnusableInput`` (``forge.adapter``) for one that is not installed any more, that two packages claim, or
    that cannot be loaded.
    """
    kind = policy.forge.kind
    if kind == NONE:
        return None
    return _github(policy) if kind == GITHUB else _other(kind, policy)


def checks_of(policy: Policy) -> Callable[[Sha], tuple[CiCheck, ...]]:
    """What tells the checks of a commit: the forge, or for a project that talks nowhere the GitHub that
    ``forge.api_url`` names."""
    return (forge_of(policy) or _github(policy)).checks


def login_of(policy: Policy, client_id: str, secret: str) -> LoginBy | None:
    """How people log in to the board: by the forge, or for a project that talks nowhere by the GitHub that
    ``forge.api_url`` names."""
    return (forge_of(policy) or _github(policy)).login(client_id, secret)


def runs_of(policy: Policy) -> Callable[[Sha, int | None], tuple[CiRun, ...]]:
    """What tells the runs of ``build.by = "github"`` on a commit, or the one of this number."""
    return _github(policy).runs


def _github(policy: Policy) -> GitHubAdapter:
    from headway.github.adapter import GitHubAdapter

    return GitHubAdapter(policy)


def _other(kind: str, policy: Policy) -> ForgeAdapter:
    found = registered(kind)
    if len(found) != 1:
        raise _unusable(kind, f"{len(found)} packages register it" if found else "no package registers it")
    try:
        made: ForgeAdapter = found[0].load()(policy)
    except UnusableInput:
        raise
    except Exception as e:
        raise _unusable(kind, one_line(f"{type(e).__name__}: {e}")) from e
    return made


def _unusable(kind: str, why: str) -> UnusableInput:
    return UnusableInput(
        "forge.adapter",
        say("there is no adapter for the forge {kind} that can be used: {why}", kind=kind, why=why),
        facts=facts(kind=kind, why=why, group=GROUP),
        remedy=say(
            "install the one package that registers {kind} under the entry points {group}, or set forge.kind",
            kind=kind,
            group=GROUP,
        ),
    )
