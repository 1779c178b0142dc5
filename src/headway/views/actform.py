"""What stands on the form of an act: what it will do, what is decided on, and what is asked for. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from headway.decide.seen import Seen
from headway.model.pick import Category, PickRequest
from headway.model.text import Text, say
from headway.views.acts import ALL, Act, Verb
from headway.views.shown import Shown
from headway.views.words import CATEGORIES


class Ask(StrEnum):
    LINE = "line"
    WORDS = "words"
    DAY = "day"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that is asked for; ``choices`` are (value, word), those of a line are only offered; ``value`` is what
    stands there at first, and what holds where nothing is said."""

    name: str
    label: Text
    ask: Ask = Ask.LINE
    required: bool = False
    hint: Text | None = None
    choices: tuple[tuple[str, Text], ...] = ()
    value: str = ""


@dataclass(frozen=True, slots=True)
class ActForm:
    """``effects`` say what will happen; ``seen`` binds the decision to ``shown`` (``None``: it holds whatever changes);
    ``evidence`` is the digest that an approval is for; ``more`` are fields that few need."""

    act: Act
    title: Text
    effects: tuple[Text, ...]
    shown: tuple[Shown, ...]
    seen: Seen | None
    fields: tuple[Field, ...]
    evidence: str = ""
    more: tuple[Field, ...] = ()

    @property
    def asked(self) -> tuple[Field, ...]:
        return (*self.fields, *self.more)


REASON = Field("reason", say("Reason; it stands in the ledger"), Ask.WORDS, required=True)
_UNTIL = Field("until", say("The last day on which it holds"), Ask.DAY, required=True)
_WHAT = Field(
    "what",
    say("What is waived"),
    required=True,
    hint=say("a clause (E7), cell:MODEL/HARDWARE/TEST/METRIC, gate:NAME or check:NAME"),
)
_CHANGE = Field("change", say("Only for this change (P1, P7, P8)"), hint=say("a pull request or commit"))
_TO = Field("to", say("The new day"), Ask.DAY, required=True)
_PICK = (
    Field("ref", say("Change"), required=True, hint=say("a pull request (#123), a commit or a range A..B")),
    Field(
        "category",
        say("Category"),
        Ask.CHOICE,
        required=True,
        choices=tuple((c.value, CATEGORIES[c.value]) for c in Category),
    ),
    Field("reason", say("What it mends"), Ask.WORDS, required=True),
    Field("evidence", say("Evidence"), Ask.WORDS, hint=say("links, one on each line")),
)
CLAIMS = (
    Field("good", say("The release in which it worked (P2)")),
    Field("bad", say("A release, candidate or commit that fails (P2)")),
    Field("test", say("A test that fails and passed in the previous release (P2)")),
    Field("perf", say("The candidate that was measured to be slower (P2)")),
    Field("symptom", say("What is severe, in words (P3)")),
    Field("feature", say("The feature that it mends: pull request or commit (P4)")),
    Field("embargo", say("The day of disclosure of a security fix (P8)"), Ask.DAY),
)


_STAYS = say("the request stays under embargo: the day can be another one")


def amended_fields(said: PickRequest) -> tuple[tuple[Field, ...], tuple[Field, ...]]:
    """What a request says, to be stated anew: all but its change."""
    values = {
        "category": said.category,
        "reason": said.reason,
        "evidence": "\n".join(said.evidence),
        **said.claims.as_json(),
    }
    first, claims = (tuple(replace(f, value=values.get(f.name, "")) for f in rows) for rows in (_PICK[1:], CLAIMS))
    return first, tuple(replace(f, hint=_STAYS) if f.name == "embargo" and f.value else f for f in claims)


def fields_of(act: Act) -> tuple[tuple[Field, ...], tuple[Field, ...]]:  # noqa: PLR0911 - one for each kind
    """What an act asks for, and what few need of it."""
    match act.verb:
        case Verb.APPROVE | Verb.RELEASE_HOLD | Verb.RETRY:
            return (), ()
        case Verb.PICK:
            return _PICK, CLAIMS
        case Verb.SLIP:
            return (_TO, REASON), ()
        case Verb.WAIVE if act.of:
            return (REASON, _UNTIL), ()
        case Verb.WAIVE:
            return (_WHAT, REASON, _UNTIL), (_CHANGE,)
        case Verb.CUT:
            return (Field("at", say("Trunk commit"), hint=say("empty: the newest that is green")),), ()
        case _:
            return (REASON,), ()


def title_of(act: Act) -> Text:  # noqa: PLR0911, PLR0912 - one for each verb
    """The form's heading."""
    known = {"version": act.version, "of": act.of}
    match act.verb:
        case Verb.APPROVE if act.of.startswith("pick:"):
            return say("Approve request {id} for {version}", id=act.of.removeprefix("pick:"), version=act.version)
        case Verb.APPROVE if act.of.startswith("revert:"):
            return say("Approve {of} for {version}", **known)
        case Verb.APPROVE:
            return say("Approve gate {of} of {version}", **known)
        case Verb.REJECT:
            return say("Reject request {id} for {version}", id=act.of.removeprefix("pick:"), version=act.version)
        case Verb.WITHDRAW:
            return say("Withdraw request {id} for {version}", id=act.of.removeprefix("pick:"), version=act.version)
        case Verb.PICK:
            return say("Request a pick for {version}", **known)
        case Verb.AMEND:
            return say("Amend request {id} for {version}", id=act.of.removeprefix("pick:"), version=act.version)
        case Verb.DROP:
            return say("Take {commit} out of {version}", commit=act.of[:12], version=act.version)
        case Verb.HOLD:
            return say("Hold all trains") if act.version == ALL else say("Hold {version}", **known)
        case Verb.RELEASE_HOLD:
            if act.version == ALL:
                return say("Release the hold of all trains")
            return say("Release the hold of {version}", **known)
        case Verb.WAIVE:
            return say("Waive {of} for {version}", **known) if act.of else say("Waive something for {version}", **known)
        case Verb.SLIP:
            return say("Give {version} another day", **known)
        case Verb.CUT:
            return say("Cut {version}", **known)
        case Verb.RETRY:
            return say("Do {of} of {version} again", **known)
        case Verb.SKIP:
            return say("Skip {version}", **known)
        case Verb.ABANDON:
            return say("Give {version} up", **known)


def effects_of(act: Act) -> tuple[Text, ...]:  # noqa: PLR0911, PLR0912 - one for each verb
    """What will happen, before it does."""
    match act.verb:
        case Verb.APPROVE if act.of.startswith("pick:"):
            return (
                say("Your approval counts for the request as it is shown here; it lapses when that changes."),
                say("Once enough people have approved it, the next tick applies it to the branch."),
            )
        case Verb.APPROVE:
            return (
                say("Your approval counts for this very commit and evidence; it lapses when either changes."),
                say("Once nothing else is in the way, the next tick goes on with it."),
            )
        case Verb.REJECT:
            return (say("The request is closed. It comes back only by a new one."),)
        case Verb.WITHDRAW:
            return (say("Your request is closed. You can make another one."),)
        case Verb.PICK:
            return (say("The gate answers at once. A refused request is kept too, with the reasons."),)
        case Verb.AMEND:
            return (
                say("The request says what is written here from then on, and the gate answers at once."),
                say("Approvals of what it said before lapse. What it said stays in the ledger."),
            )
        case Verb.DROP:
            return (
                say("The next tick reverts this commit on the release branch."),
                say("The request that brought it is closed: it is not picked again but by another request."),
            )
        case Verb.HOLD if act.version == ALL:
            return (say("Nothing happens on any train until the hold is released: no pick, no build, no release."),)
        case Verb.HOLD:
            return (say("Nothing happens on this train until the hold is released: no pick, no build, no release."),)
        case Verb.RELEASE_HOLD:
            return (say("The next tick goes on where it stopped."),)
        case Verb.WAIVE:
            return (say("It is set aside for this train, in your name, until that day; the notes tell of it."),)
        case Verb.SLIP:
            return (say("The date moves. The old one stays in the ledger, and is shown struck through."),)
        case Verb.CUT:
            return (say("The next tick runs the policy's check on the commit, and cuts the release branch there."),)
        case Verb.RETRY:
            return (say("What was found is set aside, and the next tick does this step again."),)
        case Verb.SKIP:
            return (say("This release is left out. Its number is never used again."),)
        case Verb.ABANDON:
            return (
                say("This release is given up: nothing more is built, and nothing is published."),
                say("Its branch and tags stay as they are. Its number is never used again."),
                say("Open requests for it come to nothing."),
            )
