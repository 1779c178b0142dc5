"""The policy's gates as rows: what each wants and how the newest candidate stands. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from headway.decide.gates import GateRow, Gates, GateState, number, wanted
from headway.model.text import Text, say
from headway.policy.gate_tables import EvidenceGate
from headway.policy.schema import Policy


@dataclass(frozen=True, slots=True)
class GateListRow:
    """One gate; ``row`` is ``None`` before there is a candidate."""

    gate: EvidenceGate
    row: GateRow | None

    @property
    def name(self) -> str:
        return self.gate.name

    @property
    def words(self) -> Text:
        """How it stands."""
        state = self.row.state if self.row else None
        value = self.row.result.payload["value"] if self.row and self.row.result else None
        if state is GateState.PASSED and value is not None:
            return say("passed with {value}", value=number(value))
        if state is GateState.PASSED:
            return say("passed")
        if state is GateState.FAILED and self.row is not None:
            return say("failed: {why}", why=self.row.why)
        if state is GateState.WAIVED:
            return say("waived")
        if state is GateState.AWAITED:
            return say("waits for a report")
        return say("to be run")

    @property
    def wanted(self) -> Text:
        """What it asks for."""
        return wanted(self.gate)

    def as_json(self) -> dict[str, object]:
        result = self.row.result if self.row else None
        payload = result.payload if result else {}
        return {
            "name": self.gate.name,
            "command": self.gate.command,
            "check": self.gate.check,
            "required": self.gate.required,
            "metric": self.gate.metric,
            "wanted": str(self.wanted),
            "state": self.row.state.value if self.row else None,
            "value": payload.get("value"),
            "why": str(self.row.why) if self.row and self.row.why else "",
            "url": payload.get("url", ""),
            "log": payload.get("log", ""),
            "entry": result.seq if result else None,
        }


def gate_rows(policy: Policy, found: Gates) -> tuple[GateListRow, ...]:
    """In the policy's order."""
    by_name = {r.gate.name: r for r in found.rows}
    return tuple(GateListRow(g, by_name.get(g.name)) for g in policy.gates)
