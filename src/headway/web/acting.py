"""From a filled form to the use case of the command line that does it, in the visitor's name."""

from __future__ import annotations

from datetime import date

from headway import controls, dropping, picking, reviewing
from headway.app import Headway
from headway.errors import UnusableInput
from headway.model.entry import Entry
from headway.model.pick import Claims, PickRequest
from headway.model.text import say
from headway.model.visitor import Visitor
from headway.refusal import Refused, no
from headway.views.actform import CLAIMS, ActForm
from headway.views.acts import ALL, Verb
from headway.web.forms import Given

_OURS = frozenset({"repo", "policy", "ledger"})  # what is unusable here is no fault of a form
_NOT_THEIRS = frozenset({"approve.not-allowed", "approve.own-resolution", "waive.not-a-person", "pick.not-yours"})


def refusal_status(refused: Refused) -> int:
    """The HTTP status of a refusal: 403 it is not theirs to do, 409 what it is for has changed, 422 any other."""
    codes = {r.code for r in refused.reasons}
    if codes & _NOT_THEIRS:
        return 403
    return 409 if "approve.changed" in codes else 422


def input_status(error: UnusableInput) -> int | None:
    """The HTTP status of what cannot be used in a field; ``None`` where it is the project that cannot be used."""
    if error.code.partition(".")[0] in _OURS:
        return None
    return 404 if error.code.endswith(".not-found") else 400


def carry_out(  # noqa: PLR0911, PLR0912 - one for each
    app: Headway, form: ActForm, given: Given, visitor: Visitor
) -> Entry | Refused:
    """Do it, in the visitor's name. Raises ``UnusableInput`` for what cannot be used in a field, and as the use cases
    do."""
    act, said = form.act, _filled(form, given)
    version, of, reason = act.version, act.of, said.get("reason", "")
    match act.verb:
        case Verb.APPROVE:
            return controls.approve(app, version, of, form.evidence)
        case Verb.REJECT:
            return reviewing.reject(app, _number(of), reason)
        case Verb.WITHDRAW:
            return reviewing.withdraw(app, _number(of), reason)
        case Verb.PICK:
            return _request(app, version, said)
        case Verb.AMEND:
            return _amend(app, form, said, visitor)
        case Verb.DROP:
            return dropping.drop(app, of, reason)
        case Verb.HOLD:
            return controls.hold(app, None if version == ALL else version, reason)
        case Verb.RELEASE_HOLD:
            return controls.release_hold(app, None if version == ALL else version)
        case Verb.WAIVE:
            what, change = of or said["what"], act.change or said.get("change", "")
            return controls.waive(app, version, what, reason, _day(said["until"]), change or None)
        case Verb.SLIP:
            return controls.slip(app, version, _day(said["to"]), reason)
        case Verb.CUT:
            return controls.choose_cut(app, version, said.get("at") or None)
        case Verb.RETRY:
            return controls.retry(app, version, of)
        case Verb.SKIP:
            return controls.skip(app, version, reason)
        case Verb.ABANDON:
            return controls.abandon(app, version, reason)


def _filled(form: ActForm, given: Given) -> dict[str, str]:
    """The fields that the form asks for. Raises ``UnusableInput`` (``act.empty``) for a required one without words."""
    said = {f.name: given.get(f.name, f.value).strip() for f in form.asked}
    for f in form.asked:
        if f.required and not said[f.name]:
            raise UnusableInput(
                "act.empty", say("{field} is empty", field=f.name), remedy=say("fill it in, and send the form again")
            )
    return said


def _request(app: Headway, version: str, said: dict[str, str]) -> Entry:
    return picking.request_pick(app, _stated(said["ref"], said), version).entry


def _amend(app: Headway, form: ActForm, said: dict[str, str], visitor: Visitor) -> Entry | Refused:
    """One's own request, or a reviewer's to mend; where the policy names no reviewers, a release manager's."""
    barred = form.act.barred(visitor)
    if barred is not None:
        remedy = say("make a request of your own, or ask {people}", people=form.act.people)
        return no("P1", "pick.not-yours", barred, remedy, person=visitor.name, people=form.act.people)
    done = picking.restate_pick(app, _number(form.act.of), _stated("", said))
    return done if isinstance(done, Refused) else done.entry


def _stated(ref: str, said: dict[str, str]) -> PickRequest:
    evidence = tuple(line.strip() for line in said["evidence"].splitlines() if line.strip())
    claims = Claims(**{f.name: said[f.name] for f in CLAIMS})
    return PickRequest(ref, said["category"], said["reason"], evidence, claims)


def _number(of: str) -> int:
    number = of.removeprefix("pick:")
    if not (number.isascii() and number.isdigit() and len(number) < 12):
        raise UnusableInput(
            "act.request", say("{of} is no request", of=of), remedy=say("choose one on the train's page")
        )
    return int(number)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as e:
        remedy = say("write it like 2025-02-05")
        raise UnusableInput("usage.date", say("{text} is not an ISO 8601 date", text=text), remedy=remedy) from e
