"""Why something may not be done, or not yet: clause, facts, remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headway.model.text import Facts, Text, facts, facts_json, kept, written


@dataclass(frozen=True, slots=True)
class Reason:
    """One refusal or wait.

    ``clause`` is a clause id of the policy (``P8``); ``code`` a stable name for programs (``picks.no-origin``);
    ``text`` says what is the matter; ``facts`` what it was concluded from; ``remedy`` the step that mends it.
    """

    clause: str
    code: str
    text: Text
    facts: Facts
    remedy: Text

    def as_json(self) -> dict[str, object]:
        return {
            "clause": self.clause,
            "code": self.code,
            "message": str(self.text),
            "facts": facts_json(self.facts),
            "remedy": str(self.remedy),
        }

    def written(self) -> dict[str, object]:
        """As the ledger keeps it: with the texts' templates and values, so that each reads it in their language."""
        return {**self.as_json(), "said": written(message=self.text, remedy=self.remedy)}

    @staticmethod
    def kept(v: Mapping[str, object]) -> Reason:
        """One as the ledger has it; of one without templates the texts are English, with the values put in."""
        known = v.get("facts")
        told = facts(**{str(k): value for k, value in known.items()}) if isinstance(known, Mapping) else ()
        texts = kept(v, "message"), kept(v, "remedy")
        return Reason(str(v["clause"]), str(v.get("code") or ""), texts[0], told, texts[1])
