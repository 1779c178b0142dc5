"""Why something may not be done, or not yet: clause, facts, remedy."""

from __future__ import annotations

from dataclasses import dataclass

from headway.model.text import Facts, Text, facts_json


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
