"""The clauses that Headway cites, each in a sentence. N, V, C, B, P and E are vLLM's release policy; G is ours."""

from __future__ import annotations

from headway.model.text import Text, say

CLAUSES: dict[str, Text] = {
    "N1": say(
        "A release is a reliable version of the code base, packed as binaries that users install from a package index."
    ),
    "N2": say("Release notes tell the community of features, improvements, upcoming changes and breaking changes."),
    "V1": say("A major version marks an architectural milestone or incompatible API changes."),
    "V2": say("A minor version brings new functions or features."),
    "V3": say("A patch version brings features and backwards-compatible bug fixes; it is the regular release."),
    "V4": say("A post release holds backwards-compatible bug fixes only."),
    "V5": say("Versions are PEP 440; a tag names one commit of its own release branch and never moves."),
    "C1": say("A patch release is published every two weeks."),
    "C2": say("A post release comes 1 to 3 days after its patch release, and is optional."),
    "C3": say("The calendar of a year is a table of months and versions."),
    "C4": say("All future dates are tentative; a slip is recorded, never overwritten."),
    "B1": say("Every release is built from a dedicated release branch."),
    "B2": say("The branch is cut 1 to 2 days before the release goes live."),
    "B3": say("A post release reuses the branch that was cut before."),
    "B4": say("A release build is triggered by pushing an RC tag; each candidate is built and tested."),
    "B5": say("The final tag triggers no build; it carries the notes and the assets."),
    "B6": say("After the cut the trunk is watched for reverts, and those are applied to the release branch."),
    "P1": say("After the cut only the named categories are let in; a pick names exactly one."),
    "P2": say("Regression: fixes a regression against the most recent release."),
    "P3": say(
        "Critical: fixes a severe problem, such as silently wrong results, a crash, a deadlock or a large memory leak."
    ),
    "P4": say("New-feature fix: fixes a feature that the most recent release introduced."),
    "P5": say("Documentation improvements."),
    "P6": say("Release-branch specific changes: version identifiers, CI fixes and the like."),
    "P7": say("No feature work is picked, ever."),
    "P8": say("Every picked change is merged on the trunk first; the only exception is P6."),
    "E1": say("End-to-end performance validation precedes every release."),
    "E2": say("The models and the hardware that the policy names are covered; what is not covered is shown."),
    "E3": say("Access to the benchmark workflow is asked for first."),
    "E4": say("The benchmark set-up is reviewed."),
    "E5": say("The benchmark runs on the release branch and the candidate's commit."),
    "E6": say("Results are seen under that branch and commit."),
    "E7": say("The candidate is compared with the previous release, and nothing regressed."),
    "G1": say(
        "A go is given by named people, for one commit and the evidence they saw; it lapses when either changes."
    ),
    "G2": say("A person can hold a train; nothing happens on it until the hold is released."),
    "G3": say("Every commit of a release branch is explained by the ledger."),
    "G4": say("The ledger is append-only, and its chain of digests holds."),
}
