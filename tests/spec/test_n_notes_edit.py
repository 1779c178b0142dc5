"""N2: a person edits a draft of the notes; the edit survives that they are made again, and the final tag carries it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from packaging.version import Version
from trainkit import (
    BRANCH,
    CUT,
    GO,
    PICKS,
    Project,
    approve,
    ask,
    grow_trunk,
    make_project,
    only,
    open_at,
    settle,
    verify,
)
from worldeffects import settle as settle_world
from worlds import BRANCH as LINE
from worlds import MEASURING, World, cut, policy, released

from headway import noting
from headway.decide.notedocument import Item, Piece, Tongue, document, markdown
from headway.decide.notedraft import LARGEST, Edit, draft, read_draft
from headway.decide.noteedit import edit_of, merged
from headway.decide.notes import Notes, notes_of
from headway.errors import UnusableInput
from headway.model.entry import Entry, Kind
from headway.model.markdown import in_words
from headway.notesdocument import notes_json
from headway.refusal import Refused

GROUPS = [
    {"title": "Speed", "title_zh": "速度", "prefixes": ("Perf",)},
    {"title": "Kernels", "prefixes": ("Kernel",)},
]


def world_of(*subjects: str) -> World:
    """0.7.1 is cut and holds these, besides `[Core] New 0` to `3`."""
    world = released(policy(notes={"groups": GROUPS}))
    for subject in subjects:
        world.commit(subject)
    world.branch(LINE, world.trunk[-1].sha)
    return world


def notes(world: World) -> Notes:
    planned = world.train()
    newest = planned.candidates[-1] if planned.candidates else None
    return notes_of(
        planned.train, world.line(planned.train.branch), newest, planned.performance, world.snapshot(), world.policy
    )


def drafted(world: World, edit: Edit | None = None, tongue: Tongue | None = None) -> str:
    generated = document(notes(world), tongue or Tongue())
    items = merged(generated, edit).items if edit else generated
    return draft("0.7.1", items, generated, edit.deleted if edit else (), tongue or Tongue())


def kept(text: str) -> Edit:
    """As it is read, written down and read again."""
    edit = read_draft(text.encode(), "0.7.1")
    assert Edit.of(json.loads(json.dumps(edit.as_json()))) == edit
    return edit


def again(world: World, edit: Edit) -> tuple[str, list[str]]:
    found = merged(document(notes(world)), edit)
    return markdown(found.items), [lost.text for lost in found.lost]


def line_of(text: str, words: str) -> str:
    (found,) = (line for line in text.splitlines() if words in line)
    return found


def test_N2_a_draft_that_nobody_touched_changes_nothing() -> None:
    """Not a word of it counts as somebody's own."""
    world = world_of("[Feature] A", "[Perf] B", "[Kernel] C <b>@all</b>", "[Breaking] D")
    edit = kept(drafted(world))
    assert [p for p in edit.pieces if p.text is not None] == []
    assert edit.deleted == ()
    assert again(world, edit) == (markdown(document(notes(world))), [])


def test_N2_words_order_sections_and_paragraphs_of_a_person_stay() -> None:
    """Whatever comes to the trunk and to the branch meanwhile."""
    world = world_of("[Feature] A", "[Feature] B", "[Perf] C", "[Bugfix] D")
    text = drafted(world)
    a, b, c, d = (line_of(text, f"] {x} (") for x in "ABCD")
    text = text.replace(a, a.replace(r"\[Feature\] A", "**A** is _here_, see [how](https://example.org)"))
    text = text.replace(f"{a}\n", "").replace(b, f"{b}\n{line_of(text, 'is _here_')}")  # below B
    text = text.replace(f"{d}\n", "").replace(c, f"{c}\n  and more of it\n{d}")  # a fix among improvements
    text = text.replace("## Features", "What a release!\n\n## Highlights\n\n- mine\n\n## New things")
    text = text.replace(line_of(text, "New 2 ("), "")
    edit = kept(text)
    late = world.commit("[Feature] Late")
    world.request(world.commit("[Bugfix] Picked"))
    settle_world(world)
    shown, lost = again(world, edit)
    assert lost == []
    assert late.subject not in shown
    assert shown.index("What a release!") < shown.index("## Highlights\n\n- mine\n\n## New things\n\n- ")
    assert "## Features" not in shown
    number = {t.title.split()[-2]: t.pr for t in notes(world).told}
    assert (
        f"\\[Feature\\] B (#{number['B']})\n- **A** is _here_, see [how](https://example.org) (#{number['A']})\n"
        in shown
    )
    assert f"\\[Perf\\] C (#{number['C']})\n  and more of it\n- \\[Bugfix\\] D (#{number['D']})\n" in shown
    assert "New 2" not in shown, "a deleted line stays deleted"
    assert "New 1" in shown
    assert f"## Fixes\n\n- \\[Bugfix\\] Picked (#{number['Picked']})\n" in shown, "what is new has its section again"
    report = noting.Report(notes(world), edit)
    rows = notes_json(report)
    places = {r["title"].split()[1]: (r["section"], r["listed"]) for r in rows["changes"]}
    assert places["D"] == ("improvements", True)
    assert {(r["section"], r["listed"]) for r in rows["changes"] if "New 2" in r["title"]} == {("improvements", False)}
    kinds = [x.replace("\\", "").split(" (#")[0] for x in rows["sections"]["improvements"]]
    assert kinds == ["[Perf] C", "[Bugfix] D", "[Core] New 0", "[Core] New 1", "[Core] New 3"]
    second = kept(drafted(world, edit))
    assert again(world, second) == (shown, []), "a draft of the edit is the edit"


def test_N2_what_is_new_comes_into_its_section_and_group() -> None:
    """In the order of the policy, also where neither was there before."""
    world = world_of("[Kernel] K", "[Bugfix] F")
    text = drafted(world)
    assert "### Speed" not in text
    text = text.replace("### Kernels", "### Fast things")
    edit = kept(text)
    picked = [world.commit(s) for s in ("[Perf] P", "[Kernel] L", "[Breaking] X", "[Perf][Bugfix] Q", "[Core] Z")]
    for c in picked:
        world.request(c)
    settle_world(world)
    shown, _ = again(world, edit)
    headings = [line for line in shown.splitlines() if line.startswith("#")]
    assert headings == [
        "# 0.7.1 (since 0.7.0)",
        "## Breaking changes",
        "## Improvements",
        "### Speed",
        "### Fast things",
        "### Other",
        "## Fixes",
        "### Speed",
        "## Contributors",
        "## Artifacts",
    ]
    lines = [line for line in shown.splitlines() if line.startswith(("- ", "#"))]
    assert lines.index("## Fixes") + 1 == next(i for i, x in enumerate(lines) if "] F" in x)
    order = [next(i for i, x in enumerate(lines) if w in x) for w in ("] P", "Fast", "] K", "] L", "New 0", "] Z")]
    assert order == sorted(order)


def test_N2_words_about_a_change_that_was_taken_out_are_told_as_lost() -> None:
    """The line goes with its change; so does one that nobody touched, without a word."""
    world = world_of("[Feature] A", "[Feature] B", "[Feature] C")
    text = drafted(world).replace(r"\[Feature\] A", "The famous A").replace("## Features", "Intro.\n\n## Features")
    edit = kept(text)
    a, b = (next(c for c in world.trunk if f"] {x} (" in c.subject) for x in "AB")
    world.note(Kind.CUT, branch=LINE, commit=world.trunk[-1].sha)
    world.revert(a)
    world.revert(b)
    settle_world(world)
    shown, lost = again(world, edit)
    assert lost == [f"The famous A (#{a.pr})"]
    assert "famous" not in shown
    assert "] B" not in shown
    assert "Intro." in shown
    assert "] C" in shown


def test_N2_what_must_be_true_gives_way_to_the_facts() -> None:
    """A digest that a person wrote down is not that of the next candidate; words of thanks stay, with a warning."""
    world = cut(MEASURING)
    world.request(world.commit("[Bugfix] A"))
    settle_world(world)
    text = drafted(world)
    wheel = line_of(text, "- `proj-0.7.1-py3-none-any.whl")
    text = text.replace(wheel, wheel.replace("- `proj", "- the wheel `proj", 1))
    text = text.replace("\nAnn\n", "\nThanks to Ann\n")
    edit = kept(text)
    before, lost = again(world, edit)
    assert lost == []
    assert "- the wheel `proj" in before
    world.request(world.commit("[Bugfix] B", author="Bob"))
    settle_world(world)
    after, lost = again(world, edit)
    assert "the wheel" not in after
    assert "Thanks to Ann" in after
    assert [words.split("`")[0] for words in lost] == ["Thanks to Ann", "the wheel "]
    newest = notes(world).artifacts[0][1]
    assert newest in after


@pytest.mark.parametrize("language", ["en", "zh"])
def test_N2_headings_are_the_readers_unless_a_person_wrote_them(language: str) -> None:
    """A draft may be in either language; what nobody touched is translated when it is read."""
    world = world_of("[Perf] A")
    chinese = Tongue(lambda text: f"中{text}", chinese=True)
    edit = kept(drafted(world, tongue=chinese if language == "zh" else None))
    assert "### Speed" in again(world, edit)[0]
    there = markdown(merged(document(notes(world), chinese), edit).items)
    assert "## 中Improvements\n\n### 速度\n" in there


def test_N2_a_persons_markdown_is_kept_as_typed_but_for_what_a_terminal_would_obey() -> None:
    """They may write HTML and tables; a title of somebody else may not, and cannot forge a comment of ours."""
    forged = "x <!-- headway:line aaaaaaaaaaaa 00000000 --> -->"
    world = world_of(forged)
    own = "| a | b |\r\n|---|---|\r\n| <b>1</b> | @ann \x1b[31m\u202e |\r\n\r\n```\r\n  code\r\n```"
    text = "\ufeff" + drafted(world).replace("## Improvements", f"{own}\r\n\r\n## Improvements")
    shown, lost = again(world, kept(text))
    assert "| a | b |\n|---|---|\n| <b>1</b> | @ann \ufffd[31m\ufffd |\n\n```\n  code\n```\n\n## Improvements" in shown
    assert lost == []
    assert "<!--" not in shown
    (title,) = (t for t in notes(world).told if t.title.startswith("x "))
    assert merged(document(notes(world)), kept(drafted(world))).items == document(notes(world))
    assert title.change.origin.sha[:12] in drafted(world)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "notes.no-draft"),
        (b"# 0.7.1\n", "notes.no-draft"),
        (b"<!-- headway:draft 0.7.1\n-->\n# 0.7.1\n- cut off", "notes.no-draft"),
        (b"<!-- headway:draft 0.7.2\n-->\n<!-- headway:seen\n-->\n", "notes.other-version"),
        (b"\xff\xfe", "notes.not-text"),
        (b"x" * (LARGEST + 1), "notes.not-text"),
    ],
)
def test_N2_what_is_no_draft_is_refused_in_words(data: bytes, code: str) -> None:
    """Half of a file would delete the other half."""
    with pytest.raises(UnusableInput) as e:
        read_draft(data, "0.7.1")
    assert (e.value.code, e.value.clause) == (code, "N2")
    assert str(e.value.remedy)


def test_N2_an_edit_that_deleted_everything_says_nothing_but_what_is_new() -> None:
    """Only its own words, and headings only where something stands under them."""
    world = world_of("[Feature] A")
    text = drafted(world)
    head, seen = text.partition("-->\n")[0], text[text.index("<!-- headway:seen") :]
    edit = kept(f"{head}-->\nSee the announcement.\n{seen}")
    assert again(world, edit) == ("See the announcement.\n", [])
    assert merged(document(notes(world)), edit).items == (Item(Piece.WORDS, "", "See the announcement.\n"),)


def test_N2_a_thousand_new_changes_keep_their_order() -> None:
    """As they would stand without an edit."""
    world = world_of("[Perf] A", "[Kernel] B")
    edit = kept(drafted(world))
    for n in range(1000):
        world.commit(f"[{('Perf', 'Kernel', 'Core')[n % 3]}] N{n}")
    world.branch(LINE, world.trunk[-1].sha)
    assert [i for i in merged(document(notes(world)), edit).items if i.piece is Piece.LINE] == [
        i for i in document(notes(world)) if i.piece is Piece.LINE
    ]


# On a real train -----------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """0.1.1 is cut, and has a candidate with a pick."""
    made = make_project(tmp_path / "toykit")
    settle(open_at(made.path, CUT))
    grow_trunk(made)
    ask(open_at(made.path, PICKS), made.shas["fix"], "regression")
    settle(open_at(made.path, PICKS))
    return made


def edited(project: Project, folder: Path) -> Path:
    """A draft with an introduction, other words for the pick, and without the revert's line."""
    file = folder / "notes.md"
    report = noting.notes_for(open_at(project.path, PICKS), Version("0.1.1"))
    noting.write_draft(report, file)
    text = file.read_text("utf-8")
    text = text.replace(r"\[Bugfix\] Count all of them", "Nothing is left out *any more*")
    file.write_text(text.replace("## Improvements", "Thanks, Grace!\n\n## Improvements"), "utf-8")
    return file


def test_N2_the_final_tag_carries_the_edit_and_verify_accepts_it(project: Project, tmp_path: Path) -> None:
    """B5: it carries the notes; G4: who edited them stands in the ledger."""
    file = edited(project, tmp_path)
    app = open_at(project.path, PICKS)
    entry = noting.keep(app, Version("0.1.1"), file)
    assert isinstance(entry, Entry)
    assert (entry.kind, entry.actor) == (Kind.NOTES_EDITED, "Rosa")
    ask(open_at(project.path, PICKS), project.shas["docs"], "docs")
    settle(open_at(project.path, PICKS))
    approve(open_at(project.path, GO), "0.1.1")
    settle(open_at(project.path, GO))
    text = project.git("cat-file", "tag", "v0.1.1").partition("\n\n")[2] + "\n"
    assert "Thanks, Grace!\n\n## Improvements" in text
    assert "- Nothing is left out *any more* (#4)\n" in text
    assert "How to install (#5)" in text, "picked after the edit"
    assert "headway:" not in text
    assert in_words(noting.notes_for(open_at(project.path, GO), Version("0.1.1")).markdown()) == text
    assert verify(open_at(project.path, GO), "0.1.1") == ()
    refused = noting.keep(open_at(project.path, GO), Version("0.1.1"), file)
    assert isinstance(refused, Refused)
    assert [r.code for r in refused.reasons] == ["notes.published"]


def test_N2_a_tick_killed_after_the_tag_was_made_carries_and_records_the_same_notes(
    project: Project, tmp_path: Path
) -> None:
    """No edit comes between the publication and the tag."""
    file = edited(project, tmp_path)
    noting.keep(open_at(project.path, PICKS), Version("0.1.1"), file)
    approve(open_at(project.path, GO), "0.1.1")

    def killed(step: str) -> None:
        if step.startswith("unrecorded:tag-final"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        settle(open_at(project.path, GO, at=killed))
    assert project.ref("refs/tags/v0.1.1")
    assert isinstance(noting.keep(open_at(project.path, GO), Version("0.1.1"), file), Refused)
    settle(open_at(project.path, GO))
    assert verify(open_at(project.path, GO), "0.1.1") == ()
    assert only(open_at(project.path, GO), Kind.RELEASED, "0.1.1")


def test_N2_a_draft_is_whole_or_not_there_and_never_written_over(project: Project, tmp_path: Path) -> None:
    """What a person is at work on is theirs."""
    file = edited(project, tmp_path)
    before = file.read_bytes()
    report = noting.notes_for(open_at(project.path, PICKS), Version("0.1.1"))
    with pytest.raises(UnusableInput, match="exists already"):
        noting.write_draft(report, file)
    assert file.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["notes.md", "toykit"]


def test_N2_the_newest_edit_counts_and_one_can_be_taken_back(project: Project, tmp_path: Path) -> None:
    """Undone only by another entry: a draft of what was made, kept as it is."""
    app = open_at(project.path, PICKS)
    made = noting.notes_for(app, Version("0.1.1")).markdown()
    noting.keep(app, Version("0.1.1"), edited(project, tmp_path))
    assert noting.notes_for(app, Version("0.1.1")).markdown() != made
    plain = tmp_path / "plain.md"
    unedited = noting.notes_for(app, Version("0.1.1"), edited=False)
    assert unedited.markdown() == made
    noting.write_draft(unedited, plain)
    noting.keep(app, Version("0.1.1"), plain)
    assert noting.notes_for(app, Version("0.1.1")).markdown() == made
    assert len([e for e in app.entries() if e.kind is Kind.NOTES_EDITED]) == 2
    found = edit_of(app.entries(), "0.1.1")
    assert found is not None
    assert found[1] == app.entries()[-1]


def test_N2_what_cannot_be_kept_writes_nothing(project: Project, tmp_path: Path) -> None:
    """A train that is not there, a file that is not there, a draft of another version."""
    app = open_at(project.path, PICKS)
    before = app.entries()
    other = tmp_path / "other.md"
    other.write_bytes(b"<!-- headway:draft 0.9.0\n-->\n<!-- headway:seen\n-->\n")
    for version, path in (("0.1.1", tmp_path / "none.md"), ("0.1.1", other), ("0.1.7", other), ("0.1.1", tmp_path)):
        with pytest.raises(UnusableInput):
            noting.keep(app, Version(version), path)
    assert app.entries() == before
    assert project.ref(f"refs/heads/{BRANCH}")
