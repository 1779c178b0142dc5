"""The form of an act, as things are in a picture: what is decided on, with its digest."""

from __future__ import annotations

from dataclasses import replace

from headway.decide import record, resolutions, revertreview, seen
from headway.decide.cellwaivers import cell_key
from headway.decide.performance import evidence_of_cell
from headway.decide.pickstates import PICK_STATES, State, states
from headway.decide.seen import Seen, parts_in
from headway.errors import UnusableInput, not_found
from headway.gating import GATE
from headway.model.entry import Entry, Kind
from headway.model.text import say
from headway.plan.trainplan import TrainPlan, pick_train
from headway.refusal import version_of
from headway.views.actform import ActForm, amended_fields, effects_of, fields_of, title_of
from headway.views.acts import ALL, STEPS, Act, Verb, amend_act, board_acts, train_acts
from headway.views.shown import (
    Shown,
    asked_shown,
    cell_shown,
    entry_shown,
    evidence_shown,
    pick_shown,
    resolution_shown,
    stand_shown,
)
from headway.web.forms import Given
from headway.web.picture import Picture
from headway.web.policies import keep_policy

_Bound = tuple[tuple[Shown, ...], Seen | None]
_OF_ALL = frozenset({Verb.HOLD, Verb.RELEASE_HOLD})
_OF_PROPOSED = frozenset({Verb.SKIP, Verb.PICK})
_OF_NOTHING = frozenset({Verb.HOLD, Verb.PICK, Verb.SLIP, Verb.SKIP, Verb.ABANDON, Verb.CUT, Verb.RELEASE_HOLD})


def form_for(picture: Picture, verb: Verb, version: str, of: str = "", change: str = "") -> ActForm:
    """The form of one act. Raises ``UnusableInput`` (``….not-found``) for a train, request, cell … that is none."""
    if version == ALL and verb in _OF_ALL:
        return _of_all(picture, verb)
    name = str(version_of(version))
    if verb in _OF_PROPOSED and (found := _proposed(picture, name)) is not None:
        return _made(Act(verb, name, say("{word}", word=name)), *found)
    planned = pick_train(picture.plan.trains, name)
    if verb is Verb.AMEND:
        return _amendment(picture, planned, of)
    act = _act(picture, planned, verb, of, change)
    evidence = _evidence(picture, planned, act)
    return replace(_made(act, *_bound(picture, planned, act)), evidence=evidence)


def _of_all(picture: Picture, verb: Verb) -> ActForm:
    act = Act(verb, ALL, board_acts(picture.entries)[0].words)
    if verb is Verb.HOLD:
        return _made(act, (), None)
    held = record.own_hold(picture.entries, "")
    return _made(act, entry_shown(held) if held else (), _hold_seen(picture, ""))


def _act(picture: Picture, planned: TrainPlan, verb: Verb, of: str, change: str) -> Act:
    """As the board offers it, else as it was asked for: the use case refuses what may not be."""
    of = "" if verb in _OF_NOTHING else of
    offered = train_acts(planned, picture.policy, picture.entries)
    wanted = Act(verb, planned.train.name, say("{word}", word=verb.value), of, change)
    return next((a for a in offered if (a.verb, a.of, a.change) == (verb, of, change)), wanted)


def _made(act: Act, shown: tuple[Shown, ...], bound: Seen | None) -> ActForm:
    fields, more = fields_of(act)
    return ActForm(act, title_of(act), effects_of(act), shown, bound, fields, more=more)


def _evidence(picture: Picture, planned: TrainPlan, act: Act) -> str:
    """The digest that an approval is bound to."""
    if act.verb is not Verb.APPROVE:
        return ""
    if act.of.startswith("pick:"):
        return next((a.evidence for a, *_ in _requests(picture, planned) if f"pick:{a.id}" == act.of), "")
    if act.of.startswith(revertreview.GATE):
        return _resolution(picture, act.of).digest
    return planned.evidence or ""


def _bound(picture: Picture, planned: TrainPlan, act: Act) -> _Bound:  # noqa: PLR0911 - one for each thing
    """What is shown of that which is decided on, and what binds to it."""
    match act.verb:
        case Verb.REJECT | Verb.WITHDRAW:
            return _pick(picture, planned, act.of)
        case Verb.APPROVE if act.of.startswith("pick:"):
            return _pick(picture, planned, act.of)
        case Verb.APPROVE if act.of.startswith(revertreview.GATE):
            made = _resolution(picture, act.of)
            return resolution_shown(made), seen.of_resolution(made)
        case Verb.APPROVE:
            return _gate(picture, planned, act.of)
        case Verb.WAIVE if act.of.startswith("cell:"):
            return _cell(picture, planned, act.of.removeprefix("cell:"))
        case Verb.RETRY:
            return _step(picture, planned, act.of)
        case Verb.RELEASE_HOLD | Verb.HOLD:
            held = _hold_shown(picture, planned)
            return (held if act.verb is Verb.RELEASE_HOLD else stand_shown(planned)), _hold(picture, planned, act)
        case Verb.DROP:
            return _commit(picture, planned, act.of), None
        case Verb.PICK:
            return stand_shown(planned), None
        case _:
            return stand_shown(planned), _train(picture, planned)


def _gate(picture: Picture, planned: TrainPlan, gate: str) -> _Bound:
    if gate not in picture.policy.approvals:
        raise not_found("gate", gate, say("the gates are {names}", names=sorted(picture.policy.approvals)))
    if planned.basis is None or planned.evidence is None:
        return stand_shown(planned), _train(picture, planned)
    keep_policy(picture)
    rows = (*asked_shown(_requests(picture, planned)), *evidence_shown(planned, picture.snapshot))
    return rows, seen.of_evidence(planned.basis, planned.evidence)


def _requests(picture: Picture, planned: TrainPlan) -> tuple[State, ...]:
    train = planned.train
    return picture.kept(("states", train.name), lambda: states(train, picture.snapshot, picture.policy))


def _pick(picture: Picture, planned: TrainPlan, of: str) -> _Bound:
    asked, state, waits = _request(picture, planned, of)
    return pick_shown(asked, tuple(w.text for w in waits), PICK_STATES[state]), seen.of_pick(asked, state)


def _amendment(picture: Picture, planned: TrainPlan, of: str) -> ActForm:
    """Of a request as it is stated now, word by word."""
    asked, *_ = _request(picture, planned, of)
    act = amend_act(planned.train.name, asked.id, asked.entry.actor, picture.policy)
    fields, more = amended_fields(asked.request)
    return replace(_made(act, *_pick(picture, planned, of)), fields=fields, more=more)


def _request(picture: Picture, planned: TrainPlan, of: str) -> State:
    found = next((s for s in _requests(picture, planned) if f"pick:{s[0].id}" == of), None)
    if found is None:
        raise not_found("request", of, say("see the picks of the train"))
    return found


_LINKS = {"evidence": "links"}  # of the fields, those whose part of what was seen is called otherwise


def brought_up(form: ActForm, given: Given) -> Given:
    """What was typed, for a form whose words have become others meanwhile: what nobody touched is as it is now."""
    before = dict(parts_in(given.get("parts", "")))
    untouched = {
        f.name: f.value
        for f in form.asked
        if given.get(f.name, "").strip() == before.get(_LINKS.get(f.name, f.name), "")
    }
    return {**given, **untouched} if form.act.verb is Verb.AMEND else given


def _cell(picture: Picture, planned: TrainPlan, key: str) -> _Bound:
    perf, train = planned.performance, planned.train
    cells = perf.verdict.cells if perf and perf.verdict else ()
    found = next((c for c in cells if cell_key(c.cell, c.metric) == key), None)
    if found is None or not planned.candidates or train.previous_commit is None:
        raise not_found("cell", key, say("see the comparison of the train"))
    subject, baseline = planned.candidates[-1].facts.commit, train.previous_commit
    now = evidence_of_cell(picture.snapshot, subject, baseline, found.cell, found.metric)
    return cell_shown(found, now), seen.of_cell(found, now)


def _step(picture: Picture, planned: TrainPlan, step: str) -> _Bound:
    """What was found of a step, and by which entry."""
    if step not in STEPS and not step.startswith(GATE):
        raise UnusableInput(
            "act.step",
            say("{step} is no step that can be done again", step=step),
            clause="B4",
            remedy=say("name one of {names}", names=[*sorted(STEPS), f"{GATE}NAME"]),
        )
    tag = planned.candidates[-1].facts.tag if planned.candidates else None
    found = _result(picture.entries, planned.train.name, tag, step)
    again = record.last(picture.entries, Kind.RETRIED, planned.train.name, tag=tag, step=step)
    bound = seen.of_parts(step=step, tag=tag, result=found.seq if found else None, again=again.seq if again else None)
    return (*(entry_shown(found) if found else ()), *stand_shown(planned)), bound


_RESULTS = {
    "build": Kind.BUILT,
    "test": Kind.TESTED,
    "repack": Kind.REPACKED,
    "images": Kind.IMAGES,
    "measure": Kind.MEASURED,
    "publish": Kind.PUBLISH_FAILED,
}


def _result(entries: tuple[Entry, ...], train: str, tag: str | None, step: str) -> Entry | None:
    if step.startswith(GATE):
        return record.last(entries, Kind.GATED, train, tag=tag, gate=step.removeprefix(GATE))
    return record.last(entries, _RESULTS[step], train, tag=tag)


def _commit(picture: Picture, planned: TrainPlan, sha: str) -> tuple[Shown, ...]:
    line = picture.snapshot.line(planned.train.branch)
    found = next((c for c in line.commits if c.sha == sha), None) if line else None
    if found is None:
        raise not_found("commit", sha, say("name a commit of {branch}", branch=planned.train.branch))
    brought = next((a for a in record.applied(picture.entries, planned.train.branch) if a.commit == sha), None)
    return (
        Shown(say("Commit"), (found.sha, found.title)),
        *((Shown(say("Origin"), (brought.origin,)),) if brought else ()),
        *((Shown(say("Request"), (str(brought.request),)),) if brought and brought.request else ()),
    )


def _proposed(picture: Picture, name: str) -> _Bound | None:
    """A fix release that is only proposed."""
    found = next((p for p in picture.plan.proposals if p.train.name == name), None)
    if found is None:
        return None
    rows = tuple(Shown(say("Why"), words=r.text) for r in found.reasons)
    return rows, seen.of_parts(version=name, reasons=", ".join(r.code for r in found.reasons))


def _train(picture: Picture, planned: TrainPlan) -> Seen:
    newest = planned.candidates[-1] if planned.candidates else None
    hold = record.open_hold(picture.entries, planned.train.name)
    return seen.of_train(planned.train, planned.stage.value, newest, hold, planned.train.date)


def _hold(picture: Picture, planned: TrainPlan, act: Act) -> Seen | None:
    return _hold_seen(picture, planned.train.name) if act.verb is Verb.RELEASE_HOLD else None


def _hold_seen(picture: Picture, train: str) -> Seen:
    held = record.own_hold(picture.entries, train)
    return seen.of_parts(hold=held.seq if held else "-")


def _hold_shown(picture: Picture, planned: TrainPlan) -> tuple[Shown, ...]:
    held = record.open_hold(picture.entries, planned.train.name)
    return entry_shown(held) if held else ()


def _resolution(picture: Picture, of: str) -> Entry:
    conflict = resolutions.revert_conflict(of.removeprefix(revertreview.GATE), picture.entries)
    made = revertreview.resolved_on(conflict, picture.entries) if conflict else None
    if made is None:
        raise not_found("resolution", of, say("see what the train waits for"))
    return made
