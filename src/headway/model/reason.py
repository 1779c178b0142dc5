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

    def written(self) -> dict[str, object]:
        """As the ledger keeps it: with the texts' templates and values, so that each reads it in their language."""
        said = {"message": self.text, "remedy": self.remedy}
        return {**self.as_json(), "said": {k: [t.template, facts_json(t.values)] for k, t in said.items()}}

    @staticmethod
    def kept(v: Mapping[str, object]) -> Reason:
        """One as the ledger has it; of one without templates the texts are English, with the values put in."""
        known = v.get("facts")
        told = facts(**{str(k): value for k, value in known.items()}) if isinstance(known, Mapping) else ()
        texts = _text(v, "message"), _text(v, "remedy")
        return Reason(str(v["clause"]), str(v.get("code") or ""), texts[0], told, texts[1])


def _text(v: Mapping[str, object], name: str) -> Text:
    """The template that was kept, where it gives the English that was kept; else that alone."""
    english, said = str(v.get(name) or ""), v.get("said")
    match said.get(name) if isinstance(said, Mapping) else None:
        case [str() as template, dict() as values]:
            found = Text(template, facts(**{str(k): value for k, value in values.items()}))
            try:
                if str(found) == english:
                    return found
            except (LookupError, ValueError, AttributeError):  # no template of ours
                pass
    return say("{text}", text=english)
