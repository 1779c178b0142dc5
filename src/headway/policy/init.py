"""The text of a new ``release.toml``."""

from __future__ import annotations

from datetime import date

import tomlkit
from tomlkit import comment, nl

from headway.policy.loader import load_policy
from headway.policy.schema import SCHEMA


def new_release_toml(
    preset: str, name: str, repository: str, trunk: str, anchor: date | None, anchor_version: str | None
) -> str:
    """A short, commented policy file over ``preset``.

    ``anchor`` and ``anchor_version`` are the day and the version of the project's last release, from which its dates
    are counted; ``None`` keeps the preset's. Empty strings are read from the repository at run time. Any text is quoted
    as TOML needs. Raises ``UnusableInput`` for an unknown preset.
    """
    base = load_policy(None, source=preset, preset=preset).cadence
    text = tomlkit.document()
    text.add(comment("Release policy. What is not written here comes from the preset; unknown keys are refused."))
    text.add("schema", tomlkit.item(SCHEMA))
    text.add("preset", tomlkit.item(preset))

    project = tomlkit.table()
    project.add("name", tomlkit.item(name).comment("on the package index; empty: read from the wheel"))
    project.add("repository", tomlkit.item(repository).comment("owner/name on its forge, for links"))
    project.add("trunk", tomlkit.item(trunk).comment("empty: the remote's HEAD, else main or master"))
    text.add(nl())
    text.add("project", project)

    cadence = tomlkit.table()
    cadence.add("step_days", tomlkit.item(base.step_days).comment("one regular release every so many days (C1)"))
    if anchor is not None:
        cadence.add("anchor", tomlkit.item(anchor).comment("a day of the cadence, from which dates are counted"))
    if anchor_version is not None:
        cadence.add("anchor_version", tomlkit.item(anchor_version).comment("the version from which they are counted"))
    moved = anchor not in {None, base.anchor} or anchor_version not in {None, base.anchor_version}
    if moved and base.releases_per_month:
        empty = tomlkit.inline_table().comment("none of the preset's own years: every year by the step (C3)")
        cadence.add("releases_per_month", empty)
    text.add(nl())
    text.add("cadence", cadence)
    return text.as_string()
