"""``/api/v1/trains/VERSION/acts/VERB``: the acts of the board for programs with a token that was made for them.

GET tells what an act would be for, POST does it. An approval names the digest of what was seen; where that is another
by then, nothing is done and the answer (409) says what has changed (G1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from headway.decide.seen import Difference
from headway.errors import UnusableInput
from headway.model.entry import Entry
from headway.model.text import facts, say
from headway.refusal import Refused
from headway.views.actform import ActForm
from headway.views.acts import Verb
from headway.web import apidocs as shapes
from headway.web.actforms import form_for
from headway.web.acting import carry_out, input_status, refusal_status
from headway.web.apianswers import as_json, refusals
from headway.web.site import Site

Version = Annotated[str, Path(description="A version; `all` to hold every train.", min_length=1, max_length=100)]
_ACTS = "/trains/{version}/acts/{verb}"


def acts_api(router: APIRouter, site: Site) -> None:
    @router.get(_ACTS, response_model=shapes.ActShape, responses=refusals(404), tags=["acts"])
    def look(
        request: Request,
        version: Version,
        verb: Verb,
        of: Annotated[str, Query(max_length=300, description="A gate, `pick:ID`, `revert:SHA`, a step …")] = "",
        change: Annotated[str, Query(max_length=300)] = "",
    ) -> Response:
        """What an act is for: what is shown, the digest of it, and the fields that are asked for."""
        picture, _ = site.seen(request, verb.role)
        return as_json(_told(form_for(picture, verb, version, of, change)))

    @router.post(
        _ACTS, status_code=201, response_model=shapes.DoneShape, responses=refusals(404, 409, 422), tags=["acts"]
    )
    def do(request: Request, version: Version, verb: Verb, given: shapes.ActAsked) -> Response:
        """Do it, in the name of the token. 409: what was seen has changed; 422: refused, with the reasons."""
        _, visitor = site.opened(request, verb.role)
        with site.deciding:
            form = form_for(site.watch.picture(sure=True), verb, version, given.of, given.change)
            changes = form.seen.changes(given.seen, "") if form.seen is not None else ()
            if form.seen is not None and changes:
                return as_json({"error": _stale(given.seen, form, changes).as_json(), "now": _told(form)}, 409)
            try:
                _of_the_form(form, given.fields)
                result = carry_out(site.acting(visitor), form, given.fields, visitor)
            except UnusableInput as e:
                status = input_status(e)
                if status is None:
                    raise
                return as_json({"error": e.as_json()}, status)
        if isinstance(result, Refused):
            return _refused(result)
        site.watch.picture(renewed=True)
        site.ask()
        return _done(result)


def _told(form: ActForm) -> dict[str, Any]:
    asked = [{"name": f.name, "required": f.required, "about": str(f.label), "value": f.value} for f in form.asked]
    return {
        "verb": form.act.verb.value,
        "title": str(form.title),
        "effects": [str(e) for e in form.effects],
        "seen": form.seen.digest if form.seen is not None else None,
        "parts": dict(form.seen.parts) if form.seen is not None else {},
        "fields": asked,
    }


def _of_the_form(form: ActForm, given: Mapping[str, str]) -> None:
    """Raises ``UnusableInput`` (``act.field``) for a field that is not asked for, so that no slip of the pen is taken
    for something that was left out."""
    names = [f.name for f in form.asked]
    other = sorted(given.keys() - {*names})
    if other:
        raise UnusableInput(
            "act.field",
            say("{verb} asks for no {fields}", verb=form.act.verb.value, fields=other),
            remedy=say("its fields are {names}", names=names) if names else say("it has no fields"),
        )


def _stale(seen: str, form: ActForm, changes: tuple[Difference, ...]) -> UnusableInput:
    now = form.seen.digest if form.seen is not None else ""
    return UnusableInput(
        "act.changed",
        say("what this is for is not what was seen")
        if seen
        else say("an act of this kind names the digest of what was seen"),
        clause="G1",
        facts=facts(seen=seen, now=now, parts=[c.part for c in changes]),
        remedy=say("look at it as it is now, then send its `seen`"),
    )


def _refused(refused: Refused) -> Response:
    first, *rest = (r.as_json() for r in refused.reasons)
    return as_json({"error": first, "also": rest}, refusal_status(refused))


def _done(entry: Entry) -> Response:
    known = {"seq": entry.seq, "at": entry.at.isoformat(), "actor": entry.actor, "kind": entry.kind.value}
    return as_json({"entry": {**known, "train": entry.train, "payload": dict(entry.payload)}}, 201)
