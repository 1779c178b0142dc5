"""B4, N1, V5: a whole train with container images in a real registry: waited for, recorded, released, proved."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from gitmaker import GitMaker
from registrykit import REVISION, Proxy, Pusher, Served, Trouble, registry, running
from trainkit import CUT, GO, Project, approve, kinds, make_project, only, open_at, settle, verify

from headway import controls
from headway.app import Headway
from headway.errors import WorldFailed
from headway.model.entry import Entry, Kind
from headway.refusal import Refused
from headway.sources.images import read_images

TICKER = Path(__file__).parent.parent / "ticker.py"
NAMES = ("team/engine", "team/router")


@pytest.fixture(autouse=True)
def _nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's own docker configuration is read."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with registry(tmp_path / "registry") as found:
        yield found


@pytest.fixture
def proxy(served: Served) -> Iterator[Proxy]:
    with running(Proxy(served)) as server:
        yield server


def project_with_images(folder: Path, host: str) -> Project:
    rows = (
        f'[[images]]\nname = "{host}/{name}"\ncandidate_tag = "{{commit}}"\ninsecure = true\n'
        'platforms = ["linux/amd64", "linux/arm64"]\n'
        for name in NAMES
    )
    return make_project(folder, policy="\n" + "\n".join(rows))


def pushed(served: Served, commit: str, content: str = "hello") -> dict[str, str]:
    """CI pushes a candidate's images; repository to digest."""
    labels = {REVISION: commit}
    return {n: Pusher(served, n).index(commit, labels=labels, content=f"{content} {n}") for n in NAMES}


def tags(served: Served, tag: str) -> dict[str, str | None]:
    return {n: Pusher(served, n).digest(tag) for n in NAMES}


def at_decision(project: Project, served: Served) -> tuple[Headway, dict[str, str]]:
    """Cut, built, tested; the images are there and written down; approved."""
    _, waits = settle(open_at(project.path, CUT))
    assert "candidate.image-missing" in {w.code for w in waits}
    commit = project.ref("refs/heads/releases/v0.1.1")
    assert commit
    digests = pushed(served, commit)
    done, _ = settle(open_at(project.path, CUT))
    assert done == ["record-images"]
    app = open_at(project.path, GO)
    approve(app, "0.1.1")
    return app, digests


def test_a_train_whose_images_are_promoted_without_a_build(tmp_path: Path, served: Served) -> None:
    """The digest that users pull is the one that was tested; latest follows; verify proves it all."""
    project = project_with_images(tmp_path / "toy.git", served.host)
    app, digests = at_decision(project, served)
    done, _ = settle(app)
    assert done == ["publish", "publish-images", "tag-final"]
    assert tags(served, "v0.1.1") == tags(served, "latest") == digests
    row = only(app, Kind.IMAGES_PUBLISHED, "0.1.1").payload["images"][0]
    assert (row["digest"], row["tags"]) == (digests["team/engine"], ["v0.1.1", "latest"])
    assert verify(app, "0.1.1") == ()
    assert f"team/engine:v0.1.1` `{digests['team/engine']}`" in project.git("cat-file", "tag", "v0.1.1")

    other = Pusher(served).index("latest", labels={REVISION: "f" * 40})
    (found,) = verify(app, "0.1.1")
    assert (found.code, dict(found.facts)["now"]) == ("verify.latest", other)
    Pusher(served).index("v0.1.1", labels={REVISION: "f" * 40})
    assert {r.code for r in verify(app, "0.1.1")} == {"verify.latest", "verify.image-moved"}


def test_an_image_that_is_pushed_again_needs_a_new_decision(tmp_path: Path, served: Served) -> None:
    """Told, blocked; taken anew only at a person's word, and then approved anew."""
    project = project_with_images(tmp_path / "toy.git", served.host)
    app, _ = at_decision(project, served)
    commit = project.ref("refs/heads/releases/v0.1.1")
    assert commit
    again = pushed(served, commit, "rebuilt")
    done, waits = settle(app)
    assert (done, [w.code for w in waits if w.code.startswith("candidate.")]) == ([], ["candidate.image-moved"] * 2)
    assert isinstance(controls.retry(app, "0.1.1", "images"), Entry)
    done, waits = settle(app)
    assert done == ["record-images"]
    assert "promotion.unapproved" in {w.code for w in waits}
    approve(app, "0.1.1")
    settle(app)
    assert tags(served, "v0.1.1") == again
    assert verify(app, "0.1.1") == ()


def test_there_is_nothing_to_look_for_again_before_and_after(tmp_path: Path, served: Served) -> None:
    project = project_with_images(tmp_path / "toy.git", served.host)
    settle(open_at(project.path, CUT))
    assert isinstance(controls.retry(open_at(project.path, CUT), "0.1.1", "images"), Refused)
    app, _ = at_decision(project, served)
    app.tick()
    assert kinds(app)[-1] == "published"
    assert isinstance(controls.retry(app, "0.1.1", "images"), Refused)


def test_killed_at_each_step_it_ends_as_one_that_never_was(tmp_path: Path, served: Served) -> None:
    """A tick that is killed leaves nothing that the next one cannot end."""
    project = project_with_images(tmp_path / "toy.git", served.host)
    app, digests = at_decision(project, served)
    whole = tmp_path / "whole.git"
    shutil.copytree(project.path, whole)
    stops = tmp_path / "stops"
    args = [sys.executable, str(TICKER), str(project.path), GO.isoformat(), str(stops)]
    done = subprocess.run(args, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    seen = stops.read_text().splitlines()
    names = [f"{served.host}/{n}" for n in NAMES]
    assert [s for s in seen if s.startswith("image:")] == [
        f"image:{n}:{t}" for t in ("v0.1.1", "latest") for n in names
    ]
    assert {"before:publish-images:0.1.1", "unrecorded:publish-images:0.1.1", "after:publish-images:0.1.1"} <= set(seen)
    assert int(done.stdout) == len(seen)
    assert tags(served, "v0.1.1") == tags(served, "latest") == digests
    assert verify(app, "0.1.1") == ()

    undisturbed = open_at(Project(GitMaker(whole, bare=True), whole).path, GO)
    settle(undisturbed)
    assert _rows(undisturbed) == _rows(app)


def _rows(app: Headway) -> list[tuple[str, str]]:
    loose = ("log", "seconds", "index")
    return [(e.kind, json.dumps({k: v for k, v in e.payload.items() if k not in loose})) for e in app.entries()]


@pytest.mark.parametrize(("how", "status"), [("before", 500), ("after", 0)])
def test_a_registry_that_fails_in_the_middle(
    tmp_path: Path, served: Served, proxy: Proxy, how: str, status: int
) -> None:
    """Nothing is lost, nothing half released for good, nothing sent twice: the next tick goes on."""
    project = project_with_images(tmp_path / "toy.git", proxy.served.host)
    app, digests = at_decision(project, served)
    proxy.troubles.append(Trouble("PUT", "/team/router/manifests/v0.1.1", how, status))
    with pytest.raises(WorldFailed) as e:
        settle(app)
    assert e.value.code.startswith("registry.")
    assert kinds(app)[-1] == "published"
    assert tags(served, "latest") == dict.fromkeys(NAMES), "no latest before all images are released"
    assert project.ref("refs/tags/v0.1.1") is None
    proxy.seen.clear()
    done, _ = settle(app)
    assert done == ["publish-images", "tag-final"]
    sent = [s for s in proxy.seen if s.startswith("PUT") and s.endswith("v0.1.1")]
    assert sent == ([] if how == "after" else ["PUT /v2/team/router/manifests/v0.1.1"])
    assert tags(served, "v0.1.1") == tags(served, "latest") == digests
    assert verify(app, "0.1.1") == ()


def test_a_released_tag_that_appears_between_plan_and_effect_is_never_moved(
    tmp_path: Path, served: Served, proxy: Proxy
) -> None:
    """All are looked at before one is put."""
    project = project_with_images(tmp_path / "toy.git", proxy.served.host)
    app, _ = at_decision(project, served)
    app.tick()
    assert kinds(app)[-1] == "published"
    router = Pusher(served, "team/router")
    theirs = router.index("v0.1.1", content="theirs")
    with pytest.raises(WorldFailed) as e:
        settle(app)
    assert (e.value.code, e.value.clause) == ("images.tag-taken", "V5")
    assert tags(served, "v0.1.1") == {"team/engine": None, "team/router": theirs}
    assert not [s for s in proxy.seen if s.startswith("PUT")]
    router.delete(theirs)
    settle(app)
    assert verify(app, "0.1.1") == ()


def test_an_accepted_image_that_is_gone_is_told(tmp_path: Path, served: Served) -> None:
    project = project_with_images(tmp_path / "toy.git", served.host)
    app, digests = at_decision(project, served)
    app.tick()
    Pusher(served, "team/router").delete(digests["team/router"])
    with pytest.raises(WorldFailed) as e:
        settle(app)
    assert e.value.code == "images.gone"
    assert tags(served, "v0.1.1") == dict.fromkeys(NAMES), "nothing is released by halves"
    commit = project.ref("refs/heads/releases/v0.1.1")
    assert commit
    pushed(served, commit)
    settle(app)
    assert verify(app, "0.1.1") == ()


def test_a_dead_registry_is_a_wait_and_no_end(tmp_path: Path, proxy: Proxy, served: Served) -> None:
    """The train waits with words; what needs no registry goes on."""
    project = project_with_images(tmp_path / "toy.git", proxy.served.host)
    proxy.troubles.append(Trouble("GET", "/manifests/", "before", 503, times=-1))
    done, waits = settle(open_at(project.path, CUT))
    assert done == ["cut", "tag-candidate", "build", "test", "stage"]
    found = [w for w in waits if w.code == "candidate.image-unread"]
    assert [dict(w.facts)["error"] for w in found] == ["registry.failed"] * 2
    proxy.troubles.clear()
    at_decision(project, served)


def test_who_asks_for_no_images_asks_no_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project without images works as before, also where no registry is in reach."""
    project = make_project(tmp_path / "toy.git")
    asked = []
    monkeypatch.setattr("headway.sources.images.read_images", lambda q: asked.append(q) or read_images(q))
    app = open_at(project.path, CUT)
    settle(app)
    approve(open_at(project.path, GO), "0.1.1")
    settle(open_at(project.path, GO))
    assert verify(app, "0.1.1") == ()
    assert asked == []
