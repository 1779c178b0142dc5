"""The tables of a policy about release notes (N2): what stands in which section and group, and what is left out."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from headway.policy.table import Table, Words

SectionName = Literal["breaking", "features", "improvements", "fixes", "upcoming"]


class NoteRule(Table):
    """What a change must have, one of all these. Letter case, spaces, dots, `-` and `_` make no difference, and `*`
    stands for anything."""

    prefixes: Words = Field(
        (), description="Tags in brackets (`[Kernel]`; of `[CI/Build]` each part too), or the word before a colon."
    )
    types: Words = Field(
        (), description="Types of conventional commits, such as `feat`; `!` is their mark of a breaking change."
    )
    scopes: Words = Field((), description="Their scopes: `api` of `fix(api): …`.")
    labels: Words = Field((), description="Labels of the pull request, where they are known.")


class NoteGroup(NoteRule):
    """Changes of one area, together under a title in each section."""

    title: str = Field(description="Title of the group.", min_length=1)
    titles: Words = Field((), description="Regular expressions of subjects, for those that nothing else groups.")
    title_zh: str = Field("", description="The same in Chinese; empty: `title`.")
    listed: bool = Field(True, description="`false`: only counted, as what `leave_out` finds.")


class Notes(Table):
    """N2: release notes."""

    features: Words = Field((), description="Regular expressions of subjects that are new features.")
    fixes: Words = Field((), description="… fixes.")
    breaking: Words = Field((), description="… breaking changes (searched in the body too).")
    upcoming: Words = Field((), description="… deprecations and upcoming changes (searched in the body too).")
    sections: dict[SectionName, NoteRule] = Field(
        default_factory=dict,
        description="Further rules, by section: `prefixes`, `types`, `scopes`, `labels`, as of a group. A label "
        "decides first, then the first section of breaking, upcoming, features, fixes, improvements; what only the "
        "body says of upcoming changes does not count for a fix.",
    )
    reverts: SectionName = Field("fixes", description="Section of a revert that takes out what users have.")
    groups: tuple[NoteGroup, ...] = Field(
        (),
        description="Groups inside sections, in the order in which they stand. A label decides first, then the first "
        "prefix of the title that some group has, then the scope, then `titles`; what no group has stands after them.",
    )
    leave_out: Words = Field(
        (),
        description="Regular expressions of subjects that are only counted. In place of a merge stand the commits that "
        "it brought.",
    )
    bots: Words = Field((), description="Regular expressions of names and e-mail addresses that are no contributors.")
