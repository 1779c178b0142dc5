"""Why something may not be done, or not yet: clause, facts, remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headway.model.text import Facts, Text, facts, facts_json, say


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

    @staticmethod
    def kept(v: Mapping[str, object]) -> Reason:
        """One as the ledger has it: its texts are English, with the values put in."""
        known = v.get("facts")
        told = facts(**{str(k): value for k, value in known.items()}) if isinstance(known, Mapping) else ()
        texts = (say("{text}", text=v["message"]), say("{text}", text=v.get("remedy") or ""))
        return Reason(str(v["clause"]), str(v.get("code") or ""), texts[0], told, texts[1])
