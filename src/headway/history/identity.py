"""The origin of each commit of a release branch on the trunk, from four signals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import exp

from headway.history.candidates import Candidates, Known
from headway.history.kept import Kept, is_plain
from headway.history.likeness import Likeness, Lines, likeness
from headway.history.objects import Objects
from headway.history.patches import Patch, read_patches
from headway.history.records import Record
from headway.history.told import Messages, Told
from headway.history.wordings import read_wordings
from headway.model.commit import Sha
from headway.model.identity import NOBODY, SURE, Identities, Identity, Signal

# Measured, not chosen by taste: benchmarks/identity.py.
_LEAST = 0.4  # a chance below this is no answer
_TRAILER, _NUMBER = 0.99, 0.97
_DOUBTED, _UNLIKE = 0.6, 0.8  # the content says another commit; nothing in the content says so
_MENTIONED = 1.5  # in a likeness's score: the message names the candidate's pull request, not as its origin
_TITLED = 8  # namesakes that are compared, the newest
_COVERED, _WHOLE = 0.8, 0.9  # of a batch's own lines; of each member's


def find_origins(
    subjects: Sequence[Record],
    candidates: Sequence[Record],
    objects: Objects,
    *,
    ignore_trailers: bool = False,
    kept: Kept | None = None,
    patches: Callable[[Sequence[Record]], Mapping[Sha, Patch]] | None = None,
) -> Identities:
    """The identity of each of ``subjects`` among ``candidates`` (oldest first), by the subject's SHA.

    A subject that is itself among the candidates is its own origin. ``ignore_trailers`` reads neither trailers nor
    pull request numbers; what is ``kept`` is not read again; ``patches`` reads changed lines otherwise than by
    ``read_patches``. Raises ``WorldFailed`` (``git.failed``).
    """
    kept = kept if kept and is_plain(objects.git) else None
    index = Candidates.of(candidates, read_wordings(candidates, kept))
    messages = Messages(index, objects)
    found = {s.sha: Identity((s.sha,), (), 1.0) for s in subjects if s.sha in index.by_sha}
    picks = [Known(s) for s in subjects if s.sha not in found]
    told = {p.sha: Told((), ()) if ignore_trailers else messages.told(p) for p in picks}
    compared = {p.sha: _compared(p, told[p.sha], index) for p in picks}
    wanted = {k.sha: k.record for k in (*picks, *(k for some in compared.values() for k in some))}
    records = tuple(wanted.values())
    lines = Lines(patches(records) if patches else read_patches(objects.git, records, kept))
    for pick in picks:
        alike = sorted(
            (likeness(pick, k, lines, index) for k in compared[pick.sha]),
            key=lambda x: (-x.score, -_is_merge(x.candidate), -index.at[x.candidate.sha]),
        )
        if not ignore_trailers:
            alike = _with_mentions(pick, alike)
        found[pick.sha] = _in_trunk_order(_judge(pick, told[pick.sha], alike, lines), index)
    return found


def _compared(pick: Known, told: Told, index: Candidates) -> tuple[Known, ...]:
    """The candidates whose lines are compared: few where the message or the title leave no doubt."""
    near = [*(index.by_sha[sha] for sha in (*told.trailer, *told.pr)), *index.dated(pick)[-_TITLED:]]
    titled = index.titled(pick.wording)
    near += titled[-_TITLED:]
    plain = len(titled) == 1 and titled[0].paths == pick.paths
    if not plain and not told.any:
        near += index.likely(pick)
    return tuple({k.sha: k for k in near}.values())


def _with_mentions(pick: Known, alike: Sequence[Likeness]) -> list[Likeness]:
    named = set(pick.wording.mentioned)
    lifted = (replace(x, score=x.score + _MENTIONED) if x.candidate.wording.own in named else x for x in alike)
    return sorted(lifted, key=lambda x: -x.score)


def _judge(pick: Known, told: Told, alike: Sequence[Likeness], lines: Lines) -> Identity:
    seen = _by_content(pick, alike, lines)
    return _by_word(told, alike, seen) if told.any else seen


def _by_content(pick: Known, alike: Sequence[Likeness], lines: Lines) -> Identity:
    """What the content alone says."""
    batch = _batch(pick, alike, lines)
    if batch:
        return Identity(tuple(x.candidate.sha for x in batch), (Signal.SIMILARITY,), min(x.chance for x in batch))
    if not alike or alike[0].chance < _LEAST:
        return NOBODY
    best = alike[0]
    # A change and its reland are one: either leads to the same chain.
    others = [x for x in alike[1:] if not _same_change(best.candidate, x.candidate) and not (best.patch and x.patch)]
    share = 1 / (1 + exp(others[0].score - best.score)) if others else 1.0
    signals = (Signal.PATCH_ID, Signal.SIMILARITY) if best.patch else (Signal.SIMILARITY,)
    return Identity((best.candidate.sha,), signals, best.chance * share)


def _by_word(told: Told, alike: Sequence[Likeness], seen: Identity) -> Identity:
    """What the message says, with what else agrees and what does not."""
    origins = told.any
    by_sha = {x.candidate.sha: x for x in alike}
    known = [by_sha[sha] for sha in origins]
    signals = [Signal.TRAILER] * bool(told.trailer) + [Signal.PR] * bool(told.pr)
    disputed = [sha for sha in told.pr if not any(_same_change(by_sha[sha].candidate, x.candidate) for x in known)]
    if disputed:
        signals.remove(Signal.PR)
    confidence = _TRAILER if told.trailer else _NUMBER
    likely = max((x.chance for x in known), default=0.0)
    if likely >= _LEAST:
        signals += [Signal.PATCH_ID] * any(x.patch for x in known) + [Signal.SIMILARITY]
    elif not told.trailer:
        confidence = _UNLIKE
    against = [
        sha
        for sha in seen.origins
        if seen.confidence >= SURE and likely < _LEAST and not _any_same(by_sha[sha].candidate, known)
    ]
    if against or disputed:
        confidence = _DOUBTED if likely < _LEAST else _UNLIKE if against else confidence
    return Identity(origins, tuple(signals), confidence, tuple(dict.fromkeys((*disputed, *against))))


def _batch(pick: Known, alike: Sequence[Likeness], lines: Lines) -> tuple[Likeness, ...]:
    """The members of a squashed batch: several changes, each whole in it, that make it up together."""
    if not alike or alike[0].of_pick >= _COVERED or not (mine := lines.of(pick.sha)):
        return ()
    total = lines.weight(mine)
    members: list[Likeness] = []
    covered: frozenset[int] = frozenset()
    for x in sorted((x for x in alike if x.of_origin >= _WHOLE and x.chance >= _LEAST), key=lambda x: -x.of_pick):
        new = (lines.of(x.candidate.sha) & mine) - covered
        if lines.weight(new) >= 0.5 * lines.total(x.candidate.sha):
            members.append(x)
            covered |= new
    whole = len(members) > 1 and lines.weight(covered) >= _COVERED * total
    return tuple(members) if whole else ()


def _any_same(one: Known, others: Iterable[Likeness]) -> bool:
    return any(_same_change(one, x.candidate) for x in others)


def _same_change(one: Known, other: Known) -> bool:
    """Whether they are one commit, or a merge and the commit that it brought."""
    return one.sha == other.sha or one.sha in other.record.parents[1:] or other.sha in one.record.parents[1:]


def _is_merge(known: Known) -> bool:
    return len(known.record.parents) > 1


def _in_trunk_order(identity: Identity, index: Candidates) -> Identity:
    if len(identity.origins) < 2:
        return identity
    return replace(identity, origins=tuple(sorted(identity.origins, key=index.at.__getitem__)))
