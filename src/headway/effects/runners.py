"""The runner that the policy names."""

from __future__ import annotations

from headway.effects.paths import StatePaths
from headway.errors import UnusableInput
from headway.model.text import facts, say
from headway.perf.blocks import Runner
from headway.perf.local import LocalRunner
from headway.perf.ray_runner import RayRunner
from headway.perf.slurm_runner import SlurmRunner
from headway.policy.schema import Policy


def runner_of(policy: Policy, paths: StatePaths, named: str = "") -> Runner:
    """The policy's runner, or the one that was ``named`` instead. Raises ``UnusableInput`` for one that is not here."""
    name = named or policy.perf.runner
    if name == "local":
        return LocalRunner(paths.environments, paths.work("blocks"))
    if name == "ray":
        return RayRunner(paths.fleet)
    if name == "slurm":
        return SlurmRunner(paths.fleet)
    if name == "github":
        from headway.perf.github_runner import github_runner

        return github_runner(policy, paths.root)
    raise UnusableInput(
        "perf.runner",
        say("the runner {name} is not part of this installation", name=name),
        clause="E5",
        facts=facts(runner=name),
        remedy=say("set perf.runner to local, or install what it needs"),
    )
