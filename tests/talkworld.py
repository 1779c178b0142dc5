"""A world of values whose project talks on a forge in memory: the outbox planned and done, tick by tick."""

from __future__ import annotations

from typing import Any

from hubmemory import MemoryHub
from worldeffects import perform
from worlds import World, cut, policy, sha

from headway.errors import WorldFailed
from headway.model.entry import Kind
from headway.model.hub import Written
from headway.model.markdown import marked, marker
from headway.plan.hub_actions import (
    ClosePull,
    DeleteBranch,
    HubAction,
    OpenPull,
    ProposeChanges,
    WriteCheck,
    WriteComment,
    WriteIssue,
    digest_of_action,
)
from headway.plan.planner import plan
from headway.policy.schema import Policy


def talking(**talk: Any) -> Policy:
    return policy(forge={"path": "", "kind": "github"}, project={"repository": "acme/proj"}, talk=talk)


class Talk:
    """``world`` is cut; ``hub`` what people see; ``branches`` where the branches of pull requests are."""

    def __init__(self, **talk: Any) -> None:
        self.world: World = cut(talking(**talk))
        self.branches: dict[str, str] = {}
        self.hub = MemoryHub(self.branches.get)

    def planned(self) -> tuple[HubAction, ...]:
        self.world.hub = self.hub.seen(tuple(self.world.entries))
        return plan(self.world.snapshot(), self.world.policy).hub

    def outbox(self) -> list[HubAction]:
        """Write what is planned; it must be nothing more afterwards."""
        done = [a for a in self.planned() if self._write(a)]
        done += [a for a in self.planned() if isinstance(a, DeleteBranch) and self._write(a)]
        assert self.planned() == (), "the same is written again"
        return done

    def write_once(self) -> list[HubAction]:
        return [a for a in self.planned() if self._write(a)]

    def settle(self) -> None:
        """The trains' own actions."""
        self.world.hub = self.hub.seen(tuple(self.world.entries))
        for _ in range(100):
            actions = [t.action for t in plan(self.world.snapshot(), self.world.policy).trains if t.action]
            if not actions:
                return
            for a in actions:
                perform(self.world, a)
        raise AssertionError("the planner does not come to rest")

    def _write(self, action: HubAction) -> bool:
        try:
            payload = self._did(action)
        except WorldFailed:
            return False
        self.world.note(Kind.WRITTEN, action.train, **payload)
        return True

    def _did(self, action: HubAction) -> dict[str, Any]:
        mark = marker(action.about)
        match action:
            case OpenPull() | ProposeChanges():
                made = action.commit if isinstance(action, OpenPull) else made_commit(action)
                there = self.branches.get(action.head)
                ours = there in {None, action.before, made}
                if ours:
                    self.branches[action.head] = made
                draft = isinstance(action, OpenPull)
                done = self.hub.open_pull(mark, action.head, action.base, action.title, action.body, draft=draft)
                rows = action.changes if isinstance(action, ProposeChanges) else ()
                changes = [{"kind": c.change.kind, "origin": c.change.origin, "undoes": c.change.undoes} for c in rows]
                known = {"head": action.head, "base": action.base, "commit": made if ours else "", "changes": changes}
                return {**said("pull", action, done), **known}
            case ClosePull():
                if action.why:
                    text = marked(f"closed:{action.about}", action.why)
                    self.hub.write_comment(marker(f"closed:{action.about}"), action.number, 0, text)
                done = self.hub.close_pull(action.number)
                return {**said("pull", action, done, open=False), "approved": list(action.approved)}
            case DeleteBranch():
                gone = self.branches.get(action.head) == action.commit
                if gone:
                    del self.branches[action.head]
                known = {"branch": action.head, "commit": action.commit, "deleted": gone}
                return {**said("branch", action, Written(action.number, 0, ""), open=False), **known}
            case WriteIssue():
                done = self.hub.write_issue(mark, action.number, action.title, action.body, open=action.open)
                return said("issue", action, done, open=action.open)
            case WriteComment():
                return said("comment", action, self.hub.write_comment(mark, action.number, action.id, action.body))
            case WriteCheck():
                told = (action.name, action.outcome, action.title, action.summary, action.brief, action.url)
                return said("check", action, self.hub.write_check(action.commit, *told))


def made_commit(action: ProposeChanges) -> str:
    """What the branch of a pull request would be at: made again of the same, it is the same."""
    return sha("proposed", action.tip, *(c.tree for c in action.changes))


def said(what: str, action: HubAction, done: Written, *, open: bool = True) -> dict[str, Any]:
    known = {"what": what, "about": action.about, "number": done.number, "id": done.id, "url": done.url}
    return {**known, "digest": digest_of_action(action), "open": open}


def of(actions: list[HubAction] | tuple[HubAction, ...], kind: type[Any]) -> list[Any]:
    return [a for a in actions if isinstance(a, kind)]
