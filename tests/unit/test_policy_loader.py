"""``release.toml``: presets, merging, every error at once with its line, schema versions, generated reference."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from typing import Any

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.errors import UnusableInput
from headway.policy.init import new_release_toml
from headway.policy.loader import load_policy, policy_digest, preset_names, preset_text, upgrade_text
from headway.policy.paths import matches
from headway.policy.problems import known_keys
from headway.policy.reference import json_schema, reference_markdown
from headway.policy.schema import Policy
from headway.policy.table import Table
from headway.policy.toml_lines import key_lines

unhurried = settings(deadline=None)

LIST_TABLE = """\
# a comment
[project]   # 2
name = "x # no comment"
[perf]
"looks" = [ 3,
  # in between
  4, 6 ]
margins.median_tpot_ms = 0.1
env = { A = "}", 'B C' = "2" }
serve = \"\"\"
[not a table]
no = "key" \\\""" \"\"\"
[[perf.cells]]
model = "a"
[[perf.cells]]
model = 'b'
metrics = [
  "m1", "m2",
]
[approvals."go live"]
count = 1
"""


def errors_of(text: str, **kw: Any) -> list[str]:
    with pytest.raises(UnusableInput) as caught:
        load_policy(text, source="release.toml", **kw)
    assert caught.value.code == "policy.invalid"
    assert caught.value.status == 2
    found = dict(caught.value.facts)["errors"]
    assert isinstance(found, tuple)
    return list(found)


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_loads_and_writes_nothing_that_the_schema_would_refuse(name: str) -> None:
    policy = load_policy(None, source="none", preset=name)
    assert policy.preset == name
    own = preset_text(name).replace('extends = "vllm-2025"\n', "")
    assert load_policy(own, source=name, preset=name) == policy


def test_the_default_preset_leaves_no_value_to_the_schema() -> None:
    written = tomllib.loads(preset_text("vllm-2025"))
    own = {"schema", "preset", "project", "staging", "index", "ledger"}  # the project's, not the policy's
    assert set(known_keys(())) - own <= set(written)
    left_out = {
        f"{section}.{key}"
        for section in set(known_keys(())) - own
        for key in known_keys((section,))
        if key not in written[section]
    }
    assert left_out == {"perf.env"}


def test_the_presets_are_data() -> None:
    vllm, generic = (load_policy(None, source="-", preset=p) for p in ("vllm-2025", "generic"))
    assert (vllm.perf.required, vllm.perf.models, vllm.perf.hardware) == (
        True,
        ("Llama3", "Llama4", "Mixtral"),
        ("H100", "MI300x"),
    )
    assert (generic.perf.required, generic.perf.models, generic.perf.hardware) == (False, (), ())
    assert vllm.cadence.releases_per_month == {2025: (1, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2)}
    assert generic.cadence.releases_per_month == {}
    assert generic.cadence.step_days == vllm.cadence.step_days == 14
    assert policy_digest(vllm) != policy_digest(generic)


def test_the_file_is_laid_over_its_preset() -> None:
    policy = load_policy(
        """
        schema = 1
        [perf]
        models = ["Qwen3"]
        margins.median_tpot_ms = 0.1
        [build.env]
        MY_VERSION = "{version}"
        """,
        source="release.toml",
    )
    assert policy.perf.models == ("Qwen3",)
    assert policy.perf.hardware == ("H100", "MI300x")
    assert policy.perf.margins["median_tpot_ms"] == 0.1
    assert policy.perf.margins["median_ttft_ms"] == 0.05
    assert {"MY_VERSION", "SETUPTOOLS_SCM_PRETEND_VERSION"} <= set(policy.build.env)


def test_an_empty_table_of_the_users_own_keys_empties_the_presets_and_an_empty_section_does_not() -> None:
    policy = load_policy("[cadence]\nreleases_per_month = {}\n[versions]\n", source="-")
    assert policy.cadence.releases_per_month == {}
    assert "proto-*" in policy.versions.ignore_tags


def test_the_argument_names_the_preset_before_the_file_does() -> None:
    assert load_policy('preset = "generic"', source="-").preset == "generic"
    assert load_policy('preset = "generic"', source="-", preset="vllm-2025").preset == "vllm-2025"
    with pytest.raises(UnusableInput) as caught:
        load_policy(None, source="-", preset="../vllm-2025")
    assert caught.value.code == "preset.not-found"


def test_all_errors_come_at_once_with_line_key_and_nearest_known_word() -> None:
    found = errors_of(
        """\
preset = "vllm2025"
[perf]
modles = ["a"]
required = "no"
looks = [3, 3]
[[perf.cells]]
model = "m"
hardwrae = "h"
[cadence]
anchor_version = "seven"
cut_days_before = [3, 1]
blackout = ["mon", "Sta", "2025-02-30"]
timezone = "Mars/Phobos"
releases_per_month.2026 = [1, 2]
[build]
command = "{pyton} -m build"
env.A = "{foo}"
[versions]
branch = "releases"
candidate_tag = "v{version}-rc"
[picks]
feature_titles = [
  "fine",
  "(",
]
[waivers]
clauses = ["B2", "b4", "Z9"]
[approvals.go]
people = ["ada"]
count = 2
"""
    )
    expected = [
        ("1", "preset", "vllm-2025"),
        ("3", "perf.modles", "did you mean perf.models?"),
        ("4", "perf.required", "boolean"),
        ("5", "perf.looks", "rise"),
        ("6", "perf.cells[0].hardware", "missing"),
        ("6", "perf.cells[0].test", "missing"),
        ("8", "perf.cells[0].hardwrae", "did you mean perf.cells[0].hardware?"),
        ("10", "cadence.anchor_version", "seven"),
        ("11", "cadence.cut_days_before", "3 is more than 1"),
        ("12", "cadence.blackout[1]", "did you mean sat?"),
        ("12", "cadence.blackout[2]", "ISO date"),
        ("13", "cadence.timezone", "Mars/Phobos"),
        ("14", "cadence.releases_per_month.2026", "twelve"),
        ("16", "build.command", "{python} {source} {out} {version}"),
        ("17", "build.env.A", "{version}"),
        ("19", "versions.branch", "{version} exactly once"),
        ("20", "versions.candidate_tag", "{n} exactly once"),
        ("24", "picks.feature_titles[1]", "regular expression"),
        ("27", "waivers.clauses[1]", "did you mean B4?"),
        ("27", "waivers.clauses[2]", "Z9"),
        ("30", "approvals.go.count", "2 of 1"),
    ]
    told = [e.split(":", 3) for e in found]
    assert [(t[0], t[1], t[2].strip()) for t in told] == [("release.toml", line, key) for line, key, _ in expected]
    for error, (_, key, word) in zip(found, expected, strict=True):
        assert word in error, key


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('[build]\ncommand = ""', "nothing would be built"),
        ('[build]\ncommand = "{python} \'x"', "quotes"),
        ('[test]\ncommand = "{out}"', "{wheel}"),
        ('[cut]\ncheck = "{commit}"', "{python} {source}"),
        ('[perf]\nserve = "{result}"', "{commit}"),
        ('[perf]\nclient = "{results}"', "{result}"),
        ("[build.env]\nA = '{}'", "{version}"),
        ("[cadence]\nreleases_per_month.0 = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]", "not a year"),
        ("perf.cells = [3]", "cells[0]"),
        ("approvals.go.peple = []", "did you mean approvals.go.people?"),
        ("zzz = 1", "known here: schema, preset, project"),
        ("test.timeout_s = 12:30:00", "integer"),
        ('[perf]\nserve = "{python.x}"', "{port}"),
        ('[versions]\nbranch = "rel ease/{version}"', "git"),
        ('[versions]\nfinal_tag = "{version}.lock"', "git"),
        ('[versions]\nbranch = "-{version}"', "git"),
        ('[versions]\nbranch = "r/{version}-{n}"', "a field other than"),
        ('[versions]\ncandidate_tag = "v{version}.{n}"', "final tag of 1.2.3.4"),
        ('[versions]\ncandidate_tag = "v{version}-{n}"', "final tag of 1.2.3.post4"),
        ('[cadence]\nanchor_version = "1.0.post1"', "1.0.post1"),
        ('[cadence]\nanchor_version = "1.0rc1"', "1.0rc1"),
        ('[cadence]\nanchor = "tomorrow"', "date"),
        ('[cadence]\nstep_days = "14"', "integer"),
        ("[cadence]\nreleases_per_month.2025 = [1, 99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]", "99 releases"),
        ('[cadence]\nblackout = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]', "no day of the week"),
        ("[perf]\nmargin = nan", "finite"),
        ("[perf.margins]\nstartup_s = -1.0", "greater than 0"),
        ("[perf]\nlooks = []", "at least 1"),
        ("[post]\ncategories = ['feature']", "regression"),
        ("perf = 3", "perf"),
        ("schema = 'one'", "schema"),
        ("schema = 0", "schema"),
        ("wiavers = []", "did you mean waivers?"),
        ("[project]\nanchor_version = '1'", "did you mean cadence.anchor_version?"),
    ],
)
def test_one_error_is_told_in_words(text: str, word: str) -> None:
    (error,) = errors_of(text)
    assert word in error
    assert re.match(r"release\.toml:\d+: ", error)


def test_braces_that_are_no_field_are_left_alone_in_the_environment() -> None:
    policy = load_policy('[build.env]\nA = \'{"v": "{version}"}\'', source="-")
    assert policy.build.env["A"] == '{"v": "{version}"}'


def test_values_that_are_nested_too_deeply_are_refused() -> None:
    (error,) = errors_of("project.name = " + "[" * 400 + "]" * 400)
    assert error == "release.toml: its values are nested too deeply"


def test_an_unknown_preset_has_no_text() -> None:
    with pytest.raises(UnusableInput) as caught:
        preset_text("nightly")
    assert "vllm-2025" in str(caught.value.remedy)


def test_errors_of_the_format_stop_an_upgrade_too() -> None:
    with pytest.raises(UnusableInput) as caught:
        upgrade_text("schema = 1\npreset = 'x'\n", source="mine.toml")
    (error,) = dict(caught.value.facts)["errors"]  # type: ignore[misc]
    assert error.startswith("mine.toml:2: preset: ")


def test_cells_that_are_named_twice_are_refused() -> None:
    cell = '[[perf.cells]]\nmodel = "a"\nhardware = "b"\ntest = "c"\n'
    (error,) = errors_of(cell + cell)
    assert error == "release.toml:5: perf.cells[1]: has the model, hardware and test of cell 0"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[promotion]\nversion_files = ['_version.py']\n", '2: promotion.version_files: is for mode = "repack"'),
        ("[staging]\nurl = 'https://s.example/simple/'\n", "2: staging.url: must hold {tag} exactly once"),
        ("[staging]\nurl = 'https://s.example/{tag}/{version}/'\n", "2: staging.url: must hold {tag} exactly once"),
        ("[staging]\npath = 'index'\n", "2: staging.path: is the folder of the index itself"),
    ],
)
def test_a_promotion_that_means_nothing_is_refused(text: str, said: str) -> None:
    (error,) = errors_of(text)
    assert error.startswith(f"release.toml:{said}")


@pytest.mark.parametrize(
    ("text", "place"),
    [("[perf\n", "1:6"), ("a = 1\na = 2\n", "2:6"), ("\n\nx = ", "3:5"), ("x = " + "[" * 3000, "1:3005")],
)
def test_what_is_not_toml_is_told_with_line_and_column(text: str, place: str) -> None:
    (error,) = errors_of(text)
    assert "not TOML" in error
    assert error.startswith(f"release.toml:{place}: ")


def test_a_newer_schema_is_refused_in_words_before_its_keys_are_read() -> None:
    for use in (lambda t: load_policy(t, source="release.toml"), upgrade_text):
        with pytest.raises(UnusableInput) as caught:
            use("schema = 2\nnew_key = 1\n")
        assert caught.value.code == "policy.newer"
        assert dict(caught.value.facts)["schema"] == 2


def test_schema_0_is_read_and_upgraded_with_its_comments() -> None:
    old = "# our policy\n\n[project] # us\nname = 'x'\n"
    new = upgrade_text(old)
    assert new == "# our policy\n\nschema = 1\n[project] # us\nname = 'x'\n"
    assert load_policy(old, source="-") == load_policy(new, source="-")
    assert upgrade_text(new) == new
    assert upgrade_text("[project]\r\nname = 'x'\r\n") == "schema = 1\r\n[project]\r\nname = 'x'\r\n"
    assert upgrade_text("\ufeffpreset = 'generic'") == "\ufeffschema = 1\npreset = 'generic'"
    assert upgrade_text("# only a comment") == "schema = 1\n# only a comment"


def test_the_digest_depends_on_meaning_only() -> None:
    a = load_policy("[cut]\ncheck_depth = 10 # the preset's\n", source="a")
    b = load_policy(None, source="b")
    c = load_policy("[cut]\ncheck_depth = 11\n", source="c")
    assert policy_digest(a) == policy_digest(b) != policy_digest(c)
    assert re.fullmatch("[0-9a-f]{64}", policy_digest(a))


def test_lines_of_keys_in_every_shape_of_toml() -> None:
    lines = key_lines(LIST_TABLE)
    assert lines[("project",)] == 2
    assert lines[("project", "name")] == 3
    assert lines[("perf",)] == 4
    assert lines[("perf", "looks")] == 5
    assert [lines[("perf", "looks", i)] for i in range(3)] == [5, 7, 7]
    assert lines[("perf", "margins", "median_tpot_ms")] == 8
    assert lines[("perf", "env", "B C")] == 9
    assert lines[("perf", "serve")] == 10
    assert lines[("perf", "cells", 0, "model")] == 14
    assert lines[("perf", "cells", 1)] == 15
    assert lines[("perf", "cells", 1, "metrics", 1)] == 18
    assert lines[("approvals", "go live", "count")] == 21
    assert set(lines) == _paths(tomllib.loads(LIST_TABLE))


def _paths(value: Any, at: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = {at} if at else set()
    for key, inner in items:
        found |= _paths(inner, (*at, key))
    return found


@pytest.mark.parametrize("name", preset_names())
def test_every_key_of_a_preset_has_a_line(name: str) -> None:
    assert set(key_lines(preset_text(name))) == _paths(tomllib.loads(preset_text(name)))


@unhurried
@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_categories=["Cs"])),
        st.recursive(
            st.text(st.characters(codec="utf-8", exclude_categories=["Cs"])) | st.integers(0, 9) | st.booleans(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(st.characters(codec="ascii"), max_size=4), inner, max_size=3)
            ),
            max_leaves=8,
        ),
        max_size=4,
    )
)
def test_lines_are_found_for_exactly_the_keys_that_the_parser_finds(data: dict[str, Any]) -> None:
    text = "".join(f"{tomlkit.key(k).as_string()} = {_inline(v)}\n" for k, v in data.items())
    lines = key_lines(text)
    assert set(lines) == _paths(tomllib.loads(text))
    assert [lines[(k,)] for k in data] == list(range(1, len(data) + 1))


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{tomlkit.key(k).as_string()} = {_inline(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return str(tomlkit.item(value).as_string())


@pytest.mark.parametrize(
    ("path", "pattern", "met"),
    [
        ("README.md", "*.md", True),
        ("a/b/README.md", "*.md", True),
        ("a/README.md", "/*.md", False),
        ("docs/a/b.py", "docs/**", True),
        ("docs", "docs/**", False),
        ("x/docs/a.py", "docs/**", False),
        ("x/docs/a.py", "**/docs/**", True),
        ("docs/a.py", "**/docs/**", True),
        ("docs/a/b.py", "docs/*.py", False),
        ("docs/a/b.py", "docs/**/*.py", True),
        ("docs/b.py", "docs/**/*.py", True),
        ("docs/b.py", "docs/", True),
        ("a/version.py", "version.py", True),
        ("a/my_version.py", "version.py", False),
        ("README.MD", "*.md", False),
        ("requirements-dev.txt", "requirements*.txt", True),
        ("a1.txt", "a[0-9].tx?", True),
        (".github/workflows/ci.yml", ".github/**", True),
        ("anything/at/all", "**", True),
    ],
)
def test_path_patterns(path: str, pattern: str, met: bool) -> None:
    assert matches(path, ("never/**", pattern)) is met


def test_code_is_neither_documentation_nor_branch_specific_by_the_default_preset() -> None:
    picks = load_policy(None, source="-").picks
    for path in ("vllm/engine/core.py", "csrc/attention.cu", "vllm/__init__.py", "tests/test_docs.py"):
        assert not matches(path, (*picks.docs_paths, *picks.branch_paths)), path
    for path in ("docs/index.md", "vllm/README.md", "LICENSE"):
        assert matches(path, picks.docs_paths), path
    for path in (
        ".buildkite/test.yaml",
        "pyproject.toml",
        "requirements/cuda.txt",
        "docker/Dockerfile",
        "CHANGELOG.md",
    ):
        assert matches(path, picks.branch_paths), path


@unhurried
@given(
    name=st.text(st.characters(codec="utf-8", exclude_categories=["Cs"])),
    trunk=st.text(st.characters(codec="utf-8", exclude_categories=["Cs"])),
)
def test_a_new_file_is_read_back_whatever_the_names_are(name: str, trunk: str) -> None:
    text = new_release_toml("vllm-2025", name, "o/n", trunk, date(2026, 3, 4), "1.2.3")
    policy = load_policy(text, source="release.toml")
    assert (policy.project.name, policy.project.repository, policy.project.trunk) == (name, "o/n", trunk)
    assert (policy.cadence.anchor, policy.cadence.anchor_version) == (date(2026, 3, 4), "1.2.3")
    assert policy.cadence.releases_per_month == {}


@pytest.mark.parametrize("name", preset_names())
def test_a_new_file_without_a_last_release_means_the_preset(name: str) -> None:
    text = new_release_toml(name, "", "", "", None, None)
    assert load_policy(text, source="-") == load_policy(None, source="-", preset=name)
    assert upgrade_text(text) == text


def test_a_new_file_anchored_as_the_preset_keeps_its_table() -> None:
    text = new_release_toml("vllm-2025", "vllm", "", "", date(2025, 1, 15), "0.7.0")
    assert 2025 in load_policy(text, source="-").cadence.releases_per_month


def test_the_reference_has_every_key_with_its_description() -> None:
    page = reference_markdown()

    def walk(table: type[Table]) -> None:
        for name, field in table.model_fields.items():
            inner = field.annotation
            if isinstance(inner, type) and issubclass(inner, Table):
                walk(inner)
            elif name != "approvals":
                row = next(line for line in page.splitlines() if line.startswith(f"| `{field.alias or name}` |"))
                assert field.description
                assert row.count("|") - row.count("\\|") == 5

    walk(Policy)
    assert "| `anchor` | date | `2025-01-15` |" in page
    assert "[approvals.NAME]" in page


def test_the_json_schema_takes_what_the_loader_takes() -> None:
    schema = json_schema()
    assert schema["additionalProperties"] is False
    assert "required" not in schema
    cadence = schema["$defs"]["Cadence"]
    assert "required" not in cadence
    assert cadence["properties"]["anchor_version"]["default"] == "0.7.0"
    assert schema["$defs"]["PerfCell"]["required"] == ["model", "hardware", "test"]
    assert set(schema["properties"]) == set(known_keys(()))


def test_rules_of_notes_are_checked() -> None:
    """Bad patterns, a title twice, a group that nothing can be in, a section that there is not."""
    text = """[notes]
leave_out = ["("]
bots = ["["]

[notes.sections.news]
types = ["feat"]

[[notes.groups]]
title = "A"
titles = ["*"]

[[notes.groups]]
title = "a"
prefixes = ["A"]

[[notes.groups]]
title = "B"
"""
    found = errors_of(text)
    for words in (
        "notes.leave_out",
        "notes.bots",
        "notes.sections",
        "titles",
        "is the title of group 0 too",
        "says of no change that it belongs here",
    ):
        assert [e for e in found if words in e], (words, found)
