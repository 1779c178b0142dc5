"""The pages of the board that every check of all pages goes through: a new page is named here."""

from __future__ import annotations

from typing import Any

from npmpackage import member_of

PAGES = (
    "",
    "trains/0.1.1",
    "calendar",
    "notes/0.1.1",
    "policy",
    "ledger",
    "ledger?kind=cut",
    "audit",
    "audit/0.1.1",
    "audit/releases/v0.1.1",
    "metrics",
    "benchmark/llms",
    "people",
    "login",
    "trains/0.1.1/hold",
    "trains/0.1.1/pick",
    "trains/0.1.1/slip",
    "trains/0.1.1/abandon",
    "trains/0.1.1/waive",
    "trains/0.1.1/approve?of=go",
    "trains/0.1.1/approve?of=pick:13",
    "trains/0.1.1/amend?of=pick:13",
    "trains/9.9.9",
    "nothing",
)
"""Paths without the leading slash, of ``webworld.World.to_regressed``; some are not there, which is a page too."""

AXE = "axe-core@4.11.0"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_RUN = """async (tags) => {
  const found = await axe.run(document, { runOnly: { type: "tag", values: tags } });
  return found.violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(" ")}: ${n.failureSummary}`));
}"""


def violations(page: Any) -> list[str]:
    """What axe-core finds against WCAG 2.2 AA on a page whose context bypasses its CSP. Skips the test without it."""
    page.add_script_tag(path=member_of(AXE, "package/axe.min.js"))
    found: list[str] = page.evaluate(_RUN, TAGS)
    return found
