"""B4, N1, V5: container images. They are found by digest, belong to the decision, and are released as they are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from packaging.version import Version
from worldeffects import perform, settle
from worlds import MEASURED, RC1, VERSION, World, cut, fact, policy, whole

from headway.decide import imageproof
from headway.decide.images import wanted
from headway.decide.latest import moves_latest
from headway.decide.notes import notes_of
from headway.errors import UnusableInput
from headway.model.entry import Entry, Kind
from headway.model.image import FoundImage, ImageRead, Platform, Unread
from headway.model.text import facts, say
from headway.model.train import Stage
from headway.plan.actions import Publish, TagCandidate, TagFinal
from headway.plan.image_actions import PublishImages, RecordImages
from headway.plan.planner import plan
from headway.policy.loader import load_policy
from headway.policy.schema import Policy
from headway.views.gates import Light, gates

ENGINE, ROUTER = "registry.example.org/team/engine", "registry.example.org/team/router"
BOTH = ("linux/amd64", "linux/arm64")
ONE = policy(images=[{"name": ENGINE, "candidate_tag": "{tag}", "platforms": BOTH}])
TWO = policy(images=[{"name": ENGINE, "candidate_tag": "{tag}"}, {"name": ROUTER, "candidate_tag": "{commit}"}])
MANY = "application/vnd.oci.image.index.v1+json"


def image(digest: str = "a", *, revision: str = "", version: str = "", platforms: tuple[str, ...] = BOTH) -> FoundImage:
    rows = tuple(Platform(p, revision, version) for p in platforms)
    return FoundImage(f"sha256:{digest * 64}", MANY, rows, 1000)


def at_images(asked: Policy = ONE) -> World:
    """Its first candidate is built and tested; its images are looked for."""
    world = cut(asked)
    settle(world)
    assert world.train().candidates[-1].tested is not None
    return world


def decided(asked: Policy = ONE, found: ImageRead = None) -> World:
    """… and they were found; it is the day."""
    world = at_images(asked)
    for table in asked.images:
        tag = table.candidate(VERSION, 1, RC1, world.tip())
        world.images[table.name, tag] = found or image()
    settle(world)
    world.until("2025-02-05")
    settle(world)
    return world


# A candidate and its images --------------------------------------------------------------------------------------


def test_B4_a_candidate_without_its_image_does_not_reach_the_decision() -> None:
    """Each candidate is built and tested; an image that CI has not pushed yet is waited for."""
    world = at_images()
    planned = world.train()
    assert (planned.stage, planned.action, planned.evidence) == (Stage.CANDIDATE, None, None)
    wait = world.waits()["candidate.image-missing"]
    assert (wait.clause, fact(wait, "image"), fact(wait, "commit")) == ("B4", f"{ENGINE}:{RC1}", world.tip())
    world.images[ENGINE, RC1] = image()
    assert isinstance(world.train().action, RecordImages)


def test_B4_the_image_is_written_down_by_its_digest() -> None:
    """A tag can move; a digest cannot."""
    world = decided()
    (row,) = world.entries[-1].payload["images"]
    assert world.entries[-1].kind is Kind.IMAGES
    assert (row["name"], row["reference"], row["digest"]) == (ENGINE, RC1, image().digest)
    assert (row["platforms"], row["size"], row["media_type"]) == (list(BOTH), 1000, MANY)
    assert world.train().stage is Stage.DECISION


def test_B4_all_of_them_or_none() -> None:
    """Half of a candidate's images is no candidate."""
    world = at_images(TWO)
    world.images[ENGINE, RC1] = image()
    assert settle(world) == []
    assert fact(world.waits()["candidate.image-missing"], "image") == f"{ROUTER}:{world.tip()}"
    world.images[ROUTER, world.tip()] = image("b")
    (action,) = settle(world)
    assert isinstance(action, RecordImages)
    assert [i.name for i in action.images] == [ENGINE, ROUTER]


def test_B4_nothing_is_asked_for_before_the_candidate_is_tested_or_after_it_is_published() -> None:
    """Registries are asked for what a decision rests on, and no more."""
    world = cut(ONE)
    world.failing = {world.tip()}
    settle(world)
    planned, snapshot = world.train(), world.snapshot()
    assert wanted(planned.train, planned.candidates[-1], snapshot, ONE) == ()
    world = at_images()
    planned, snapshot = world.train(), world.snapshot()
    asked = wanted(planned.train, planned.candidates[-1], snapshot, ONE)
    assert [(q.name, q.reference, q.whole) for q in asked] == [(ENGINE, RC1, True), (ENGINE, "v0.7.1", False)]
    world = decided()
    world.approve()
    perform(world, world.train().action)  # type: ignore[arg-type]
    planned, snapshot = world.train(), world.snapshot()
    assert world.entries[-1].kind is Kind.PUBLISHED
    assert wanted(planned.train, planned.candidates[-1], snapshot, ONE) == ()


def test_B4_a_platform_that_is_missing_is_told() -> None:
    """The matrix that the policy expects is complete; a variant of an architecture counts as it."""
    world = at_images()
    world.images[ENGINE, RC1] = image(platforms=("linux/amd64",))
    assert fact(world.waits()["candidate.image-platforms"], "expected") == BOTH
    assert world.train().action is None
    world.images[ENGINE, RC1] = image(platforms=("linux/amd64", "linux/arm64/v8"))
    assert isinstance(world.train().action, RecordImages)


def test_B4_an_image_of_another_commit_is_not_the_candidates() -> None:
    """What is tested is the candidate's own commit."""
    world = at_images()
    world.images[ENGINE, RC1] = image(revision="f" * 40)
    wait = world.waits()["candidate.image-commit"]
    assert (fact(wait, "revision"), fact(wait, "commit")) == ("f" * 40, world.tip())
    world.images[ENGINE, RC1] = image(revision=world.tip(), version="0.7.1")
    assert isinstance(world.train().action, RecordImages)


@pytest.mark.parametrize(
    ("label", "right"), [("0.7.1", True), ("v0.7.1", True), ("0.7.1rc1", False), ("nightly", False)]
)
def test_B4_an_image_that_calls_itself_another_version(label: str, right: bool) -> None:
    """Version inside = version outside."""
    world = at_images()
    world.images[ENGINE, RC1] = image(revision=world.tip(), version=label)
    assert isinstance(world.train().action, RecordImages) is right
    assert ("candidate.image-version" in world.waits()) is not right


def test_B4_the_version_of_the_image_that_it_is_built_on_is_not_its_own() -> None:
    """Labels are inherited: Ubuntu's version is in everything that is built on it."""
    world = at_images()
    world.images[ENGINE, RC1] = image(version="22.04")
    assert isinstance(world.train().action, RecordImages)


def test_B4_an_image_that_changed_after_it_was_recorded_blocks() -> None:
    """What was approved is what is released: a tag that moved is told, and stops the train."""
    for now in (image("b"), None):
        world = decided()
        world.approve()
        assert isinstance(world.train().action, Publish)
        world.images[ENGINE, RC1] = now
        wait = world.waits()["candidate.image-moved"]
        assert fact(wait, "recorded") == image().digest
        assert world.train().action is None
        assert world.train().evidence is None
        world.images[ENGINE, RC1] = image()
        assert isinstance(world.train().action, Publish)


def test_G1_images_looked_for_again_are_decided_on_again() -> None:
    """An approval lapses when the evidence changes: the images are part of it."""
    world = decided()
    before = world.train().evidence
    world.approve()
    world.images[ENGINE, RC1] = image("b")
    world.note(Kind.RETRIED, actor="ann", tag=RC1, step="images")
    settle(world)
    assert world.entries[-1].payload["images"][0]["digest"] == image("b").digest
    assert world.train().evidence not in {None, before}
    assert fact(world.waits()["promotion.unapproved"], "lapsed") == ("ann",)


def test_B4_a_policy_that_asks_for_more_looks_again() -> None:
    """The recorded images are those that the policy asks for, or they are looked for anew."""
    world = decided()
    more = policy(images=[{"name": ENGINE, "candidate_tag": "{tag}", "platforms": (*BOTH, "linux/s390x")}])
    for asked, code in ((TWO, "candidate.image-missing"), (more, "candidate.image-platforms")):
        world.policy = asked
        assert code in world.waits()
        assert world.train().action is None


def test_B4_a_registry_that_cannot_be_read_is_a_wait() -> None:
    """Nothing is concluded from an answer that did not come."""
    broken = Unread("registry.timeout", say("it did not answer"), facts(image="x"), say("wait"))
    world = at_images()
    world.images[ENGINE, RC1] = broken
    assert fact(world.waits()["candidate.image-unread"], "error") == "registry.timeout"
    world = decided()
    world.images[ENGINE, RC1] = broken
    assert "candidate.image-unread" in world.waits()
    assert world.train().action is None


def test_E5_measuring_goes_on_while_images_are_waited_for() -> None:
    """It needs the wheel alone."""
    world = cut(policy(perf=MEASURED, images=[{"name": ENGINE}]))
    kinds = [a.kind for a in settle(world)]
    assert "measure" in kinds
    assert {"candidate.image-missing"} <= world.waits().keys()


def test_B4_the_next_candidate_has_images_of_its_own() -> None:
    """One release may have many RCs; each is built and tested."""
    world = decided()
    world.request(world.commit("[Bugfix] A"))
    settle(world)
    assert fact(world.waits()["candidate.image-missing"], "image") == f"{ENGINE}:v0.7.1-rc2"


def test_V5_a_released_tag_that_names_another_image_is_told_before_anything_is_published() -> None:
    """A published tag is never moved."""
    world = decided()
    world.approve()
    world.images[ENGINE, "v0.7.1"] = FoundImage(image("b").digest, MANY)
    wait = world.waits()["candidate.image-tag-taken"]
    assert (wait.clause, fact(wait, "now")) == ("V5", image("b").digest)
    assert world.train().action is None
    world.images[ENGINE, "v0.7.1"] = FoundImage(image().digest, MANY)
    assert isinstance(world.train().action, Publish)


# Release ---------------------------------------------------------------------------------------------------------


def released(asked: Policy = ONE) -> World:
    world = decided(asked)
    world.approve()
    settle(world)
    assert world.train("0.7.2").train.previous == Version("0.7.1")
    return world


def test_N1_images_are_released_after_the_files_and_before_the_final_tag() -> None:
    """The very images that were accepted, under the release's tag and latest."""
    world = decided()
    world.approve()
    done = settle(world)
    assert [type(a) for a in done] == [Publish, PublishImages, TagFinal]
    entry = next(e for e in world.entries if e.kind is Kind.IMAGES_PUBLISHED)
    (row,) = entry.payload["images"]
    assert (row["digest"], row["tags"]) == (image().digest, ["v0.7.1", "latest"])
    assert (entry.payload["latest"], entry.payload["greatest"]) == ([f"{ENGINE}:latest"], "0.7.1")


def test_N2_the_notes_name_the_images_with_their_digests() -> None:
    """Artifacts with digests."""
    world = decided()
    planned, snapshot = world.train(), world.snapshot()
    line = snapshot.line(planned.train.branch)
    assert line is not None
    found = notes_of(planned.train, line, planned.candidates[-1], None, snapshot, ONE)
    assert f"{ENGINE}:v0.7.1 {image().digest}" in dict(found.sections)["artifacts"]


@pytest.mark.parametrize(
    ("version", "others", "moves"),
    [
        ("0.7.1", ["0.7.0", "0.7.1"], True),
        ("0.7.1", [], True),
        ("0.7.1", ["0.7.0", "0.8.0"], False),
        ("0.7.1.post1", ["0.7.1", "0.7.2"], False),
        ("0.7.1.post1", ["0.7.1"], True),
        ("0.10.0", ["0.9.0"], True),
        ("0.8.0rc1", ["0.7.1"], False),
    ],
)
def test_V5_latest_never_moves_back_for_an_older_line(version: str, others: list[str], moves: bool) -> None:
    """It is the greatest release, and never a candidate."""
    assert moves_latest(Version(version), [Version(o) for o in others]) is moves


def test_V5_an_older_lines_image_gets_its_tag_and_latest_stays() -> None:
    """Somebody released 0.8.0 in between."""
    world = decided()
    world.approve()
    perform(world, world.train().action)  # type: ignore[arg-type]
    world.note(Kind.PUBLISHED, "0.8.0", tag="v0.8.0-rc1", commit=world.tip(), files=[], index="index")
    action = world.train().action
    assert isinstance(action, PublishImages)
    assert [(p.tag, p.latest) for p in action.images] == [("v0.7.1", "")]
    assert action.greatest == "0.8.0"


def test_N1_a_policy_without_latest_moves_none() -> None:
    world = decided(policy(images=[{"name": ENGINE, "candidate_tag": "{tag}", "latest": ""}]))
    world.approve()
    perform(world, world.train().action)  # type: ignore[arg-type]
    action = world.train().action
    assert isinstance(action, PublishImages)
    assert [p.latest for p in action.images] == [""]


def test_B4_without_images_in_the_policy_nothing_is_asked() -> None:
    """Which images there are is policy data."""
    world = cut()
    kinds = [a.kind for a in settle(world)]
    assert "record-images" not in kinds
    world.until("2025-02-05")
    world.approve()
    assert [type(a) for a in settle(world)] == [Publish, TagFinal]


# The release before ----------------------------------------------------------------------------------------------


def next_release(asked: Policy, found: dict[str, FoundImage]) -> World:
    world = released(TWO)
    world.policy = asked
    cut_at = world.commit("[Core] More").sha
    world.branch("releases/v0.7.2", cut_at)
    world.note(Kind.CUT, "0.7.2", branch="releases/v0.7.2", commit=cut_at)
    settle(world)
    for table in asked.images:
        tag = table.candidate("0.7.2", 1, "v0.7.2-rc1", world.tip("releases/v0.7.2"))
        world.images[table.name, tag] = found[table.name]
    settle(world)
    return world


def test_B4_an_image_that_vanished_since_the_last_release_is_an_error() -> None:
    """Compared with the previous release's; a person may waive it."""
    world = next_release(ONE, {ENGINE: image("c")})
    wait = world.waits("0.7.2")["candidate.image-vanished"]
    assert (wait.clause, fact(wait, "gone")) == ("B4", (ROUTER,))
    assert world.train("0.7.2").evidence is None
    world.waive("B4", train="0.7.2")
    assert "candidate.image-vanished" not in world.waits("0.7.2")
    assert world.train("0.7.2").stage is Stage.DECISION


def test_B4_a_platform_that_vanished_since_the_last_release_is_an_error() -> None:
    """The policy need not name all that users had."""
    single = image("c", platforms=("linux/amd64",))
    world = next_release(TWO, {ENGINE: single, ROUTER: image("d")})
    wait = world.waits("0.7.2")["candidate.image-vanished"]
    assert fact(wait, "gone") == (f"{ENGINE} linux/arm64",)


def test_B4_the_same_images_are_no_loss() -> None:
    """Nor are more of them."""
    world = next_release(TWO, {ENGINE: image("c", platforms=(*BOTH, "linux/s390x")), ROUTER: image("d")})
    assert world.train("0.7.2").stage is Stage.DECISION


# Proof -----------------------------------------------------------------------------------------------------------


def proved(world: World, version: str = VERSION) -> dict[str, object]:
    asked = imageproof.queries(Version(version), tuple(world.entries), world.policy)
    found = {(q.name, q.reference): world.images.get((q.name, q.reference)) for q in asked}
    reasons = imageproof.problems(Version(version), world.snapshot(), found, world.policy)
    return {whole(r).code: r for r in reasons}


def test_N1_a_release_of_images_is_proved() -> None:
    """Published digests = tested digests."""
    assert proved(released()) == {}
    assert proved(cut()) == {}


def test_V5_a_released_tag_that_moved_is_found() -> None:
    world = released()
    for now in (image("b"), None):
        world.images[ENGINE, "v0.7.1"] = now
        assert proved(world).keys() == {"verify.image-moved"}


def test_V5_latest_that_is_not_the_greatest_release_is_found() -> None:
    """It says whose image it is."""
    world = next_release(TWO, {ENGINE: image("c"), ROUTER: image("d")})
    world.until("2025-02-19")
    world.approve("0.7.2")
    settle(world)
    assert proved(world) == {}
    assert proved(world, "0.7.2") == {}
    world.images[ENGINE, "latest"] = image()  # back to 0.7.1's
    for version in ("0.7.1", "0.7.2"):
        (code, found), *more = proved(world, version).items()
        assert (code, more) == ("verify.latest", [])
        assert "is not 0.7.2, the greatest release, but 0.7.1" in str(found.text)  # type: ignore[attr-defined]
    world.images[ENGINE, "latest"] = image("e")  # nobody's
    assert image("e").digest in str(proved(world)["verify.latest"].text)  # type: ignore[attr-defined]


def test_B4_other_images_than_the_tested_ones_are_found() -> None:
    """An entry that says otherwise than the candidate's does not pass."""
    world = released()

    def other(e: Entry) -> Entry:
        rows = [{**r, "digest": image("b").digest} for r in e.payload["images"]]
        return replace(e, payload={**e.payload, "images": rows})

    world.reseal(other(e) if e.kind is Kind.IMAGES_PUBLISHED else e for e in world.entries)
    world.images[ENGINE, "v0.7.1"] = world.images[ENGINE, "latest"] = image("b")
    assert proved(world).keys() == {"verify.other-images"}


def test_B4_a_release_that_has_no_record_of_its_images_is_found() -> None:
    world = released()
    world.reseal(e for e in world.entries if e.kind is not Kind.IMAGES)
    assert "verify.images-unrecorded" in proved(world)


# Words and policy ------------------------------------------------------------------------------------------------


def test_B4_the_light_of_the_images() -> None:
    """Missing is waiting, wrong is blocked, and who asks for none sees none."""

    def light(world: World) -> Light | None:
        found = gates(world.train(), world.policy, tuple(world.entries), world.now)
        return next((g.light for g in found if g.name == "images"), None)

    assert light(cut()) is None
    assert light(cut(ONE)) is Light.NONE
    world = at_images()
    assert light(world) is Light.WAITING
    world.images[ENGINE, RC1] = image(revision="f" * 40)
    assert light(world) is Light.BLOCKED
    world.images[ENGINE, RC1] = image()
    assert light(world) is Light.WAITING
    settle(world)
    assert light(world) is Light.OK
    assert isinstance(plan(world.snapshot(), ONE).trains[0].action, TagCandidate | None)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('name = "team/engine"', "is not a registry and a repository"),
        ('name = "r.example/Team"', "is not a registry and a repository"),
        ('name = "r.example/a"\ninsecure = true', "loopback only"),
        ('name = "r.example/a"\nusername_env = "X"', "together"),
        ('name = "r.example/a"\nplatforms = ["amd64"]', "os/architecture"),
        ('name = "r.example/a"\ncandidate_tag = "rc{n}"', "must differ by candidate"),
        ('name = "r.example/a"\ncandidate_tag = "{sha}"', "holds {sha}"),
        ('name = "r.example/a"\ncandidate_tag = "{commit"', "holds {commit"),
        ('name = "r.example/a"\ncandidate_tag = "v{version}/{n}"', "is not a tag that a registry takes"),
        ('name = "r.example/a"\nversion_tag = "stable"', "needs {version}"),
        ('name = "r.example/a"\nlatest = "{version}"', "holds {version}"),
        ('name = "r.example/a"\nlatest = "v1.2.3"\nversion_tag = "v{version}"', "not the release's own"),
        ('name = "r.example/a"\n[[images]]\nname = "r.example/a"', "is the name of image 0"),
        ("latest = 3", "name"),
    ],
)
def test_B4_a_table_that_no_registry_would_take_is_refused(lines: str, words: str) -> None:
    """Names, tags and hosts are those of the distribution specification."""
    with pytest.raises(UnusableInput) as e:
        load_policy(f"[[images]]\n{lines}\n", source="release.toml")
    errors = "\n".join(dict(e.value.facts)["errors"])  # type: ignore[arg-type]
    assert words in errors


@pytest.mark.parametrize("name", ["localhost:5000/a", "127.0.0.1:5000/a/b", "[::1]:5000/a", "localhost/a"])
def test_B4_a_registry_on_this_machine_needs_no_tls(name: str) -> None:
    assert load_policy(f'[[images]]\nname = "{name}"\ninsecure = true\n', source="release.toml").images[0].insecure
