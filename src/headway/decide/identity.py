"""By whose name files are uploaded, and whether they are attested: what is wished, and what there is (N1)."""

from __future__ import annotations

from dataclasses import dataclass

from headway.model.reason import Reason
from headway.model.text import Text, facts, say
from headway.policy.release_tables import Index


@dataclass(frozen=True, slots=True)
class Ways:
    """How an upload goes. ``why`` tells of each wish that it goes without."""

    trusted: bool
    attested: bool
    why: tuple[Text, ...]


def ways(index: Index, no_token: Text | None, no_attestation: Text | None) -> Ways | Reason:
    """``no_token`` says why the index gave no token for this job's identity, ``no_attestation`` why none can be made;
    ``None``: there is one. A ``Reason`` when the policy requires what there is not."""
    why = []
    for wish, lack, told in (
        (index.trusted_publishing, no_token, say("uploaded with twine's own credentials: {why}", why=str(no_token))),
        (index.attestations, no_attestation, say("uploaded without attestations: {why}", why=str(no_attestation))),
    ):
        if wish == "no" or lack is None:
            continue
        if wish == "required":
            return Reason(
                "N1",
                "publish.no-identity",
                say("nothing was uploaded, because the policy requires it otherwise: {why}", why=str(lack)),
                facts(trusted_publishing=index.trusted_publishing, attestations=index.attestations),
                say("publish from a CI job that has an identity, or set it to `if-possible` in [index]"),
            )
        why.append(told)
    return Ways(
        index.trusted_publishing != "no" and no_token is None,
        index.attestations != "no" and no_attestation is None,
        tuple(why),
    )
