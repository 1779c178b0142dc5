"""N1: what tells where the published bytes come from: a bill of materials of each wheel, provenance of all files."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from google.protobuf.json_format import Parse, ParseDict
from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as StatementMessage
from packaging.version import Version
from pkgmaker import wheel
from trainkit import BRANCH, CUT, GO, PLAIN, Project, approve, make_project, only, open_at, settle, verify
from worlds import policy as world_policy

from headway import controls
from headway.decide.documents import document_problems
from headway.effects.build import artifact_of
from headway.effects.installed import installed_with
from headway.effects.provenance import provenance, subjects_of
from headway.effects.sbom import sbom
from headway.environment import fresh_environment
from headway.errors import WorldFailed
from headway.model.build import Artifact, Installed
from headway.model.entry import Kind
from headway.plan.trust_actions import DescribeCandidate
from headway.proving import prove_release

AT = datetime(2025, 1, 27, 9, tzinfo=UTC)
WHEEL = Artifact("toy-1.0-py3-none-any.whl", "a" * 64, 100)
SDIST = Artifact("toy-1.0.tar.gz", "b" * 64, 90)
CAME = (
    Installed("numpy", "2.1.0", "BSD-3-Clause AND MIT", ()),
    Installed("odd", "1", "as you like it", ()),
    Installed("torch", "2.9.0", "", ("numpy",)),
    Installed("toy", "1.0", "Apache-2.0", ("odd", "torch")),
)


def read(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


def valid(text: str) -> bool:
    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


# Bill of materials ---------------------------------------------------------------------------------------------------


def test_a_bill_of_materials_is_valid_and_about_the_wheel() -> None:
    """CycloneDX 1.6, by the validator of its own library."""
    text = sbom(WHEEL, CAME, commit="c" * 40, at=AT)
    assert valid(text)
    bom = read(text)
    root = bom["metadata"]["component"]
    assert (root["name"], root["version"]) == ("toy", "1.0")
    assert root["hashes"] == [{"alg": "SHA-256", "content": WHEEL.sha256}]
    assert root["purl"] == f"pkg:pypi/toy@1.0?file_name={WHEEL.file}"
    assert root["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    assert {(c["name"], c["version"]) for c in bom["components"]} == {
        ("numpy", "2.1.0"),
        ("odd", "1"),
        ("torch", "2.9.0"),
    }
    needs = {d["ref"]: d.get("dependsOn", []) for d in bom["dependencies"]}
    assert needs[WHEEL.file] == ["odd==1", "torch==2.9.0"]
    assert needs["torch==2.9.0"] == ["numpy==2.1.0"]
    assert not valid(text.replace('"SHA-256"', '"SHA-255"'))


def test_a_bill_of_materials_is_the_same_bytes_for_the_same_facts() -> None:
    """No number of chance, no moment but the commit's."""
    text = sbom(WHEEL, CAME, commit="c" * 40, at=AT)
    assert sbom(WHEEL, tuple(reversed(CAME)), commit="c" * 40, at=AT) == text
    assert read(text)["metadata"]["timestamp"] == AT.isoformat()
    other = sbom(replace(WHEEL, sha256="d" * 64), CAME, commit="c" * 40, at=AT)
    assert read(other)["serialNumber"] != read(text)["serialNumber"]


def test_of_a_wheel_that_was_not_tested_nothing_is_made_up() -> None:
    text = sbom(WHEEL, None, commit="c" * 40, at=AT)
    assert valid(text)
    assert read(text).get("components", []) == []
    said = {p["name"]: p["value"] for p in read(text)["metadata"]["component"]["properties"]}
    assert said == {"headway:commit": "c" * 40, "headway:requirements": "unknown"}


def test_only_what_the_wheel_brought_is_its_material(tmp_path: Path) -> None:
    """A real environment: the tests' own requirements, and those of extras that nobody asked for, are left out."""
    made = [
        wheel(tmp_path / "w", "1.0", name="top", requires='mid[fast]>=1\nRequires-Dist: lone; extra == "test"'),
        wheel(tmp_path / "w", "2.0", name="mid", requires='quick; extra == "fast"\nProvides-Extra: fast'),
        wheel(tmp_path / "w", "3.0", name="quick", requires='nowhere; python_version < "3"'),
        wheel(tmp_path / "w", "4.0", name="lone"),
    ]
    target = tmp_path / "environment"
    python = fresh_environment(target, [str(p) for p in made], log=tmp_path / "log", timeout_s=120)
    assert isinstance(python, Path), python
    assert installed_with("Top", target) == (
        Installed("mid", "2.0", "", ("quick",)),
        Installed("quick", "3.0", "", ()),
        Installed("top", "1.0", "", ("mid",)),
    )
    assert installed_with("absent", target) == ()


# Provenance ----------------------------------------------------------------------------------------------------------


ACTION = DescribeCandidate(
    "1.0",
    "v1.0-rc1",
    "c" * 40,
    (WHEEL, SDIST),
    WHEEL.sha256,
    CAME,
    "2025-01-27T09:58:00Z",
    "2025-01-27T10:00:00Z",
    7,
    "e" * 64,
)


def test_provenance_is_a_statement_as_in_toto_and_slsa_have_it() -> None:
    """Read by the published protobuf messages, which refuse a field that is not in them; then field by field:

    "subject: … Each element MUST have a digest", "predicateType: https://slsa.dev/provenance/v1", "buildType REQUIRED",
    "externalParameters REQUIRED … SHOULD be complete", "builder.id REQUIRED".
    """
    policy = world_policy(project={"repository": "org/toy"}, documents={"builder": "https://ci.example.org/releases"})
    text = provenance(ACTION, policy)
    statement = read(text)
    # the bindings of 2023 call the field that the specification calls _type `type`
    assert statement.pop("_type") == "https://in-toto.io/Statement/v1"
    message = Parse(json.dumps({"type": "https://in-toto.io/Statement/v1", **statement}), StatementMessage())
    Statement.copy_from_pb(message).validate()
    predicate = ParseDict(statement["predicate"], Provenance())
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    assert subjects_of(text.encode()) == {WHEEL.file: WHEEL.sha256, SDIST.file: SDIST.sha256}
    made, ran = predicate.build_definition, predicate.run_details
    assert made.build_type == "urn:headway:build:v1"
    told = dict(made.external_parameters)
    assert (told["repository"], told["tag"], told["version"]) == ("org/toy", "v1.0-rc1", "1.0")
    assert told["command"] == policy.build.command
    assert dict(told["environment"])["SETUPTOOLS_SCM_PRETEND_VERSION"] == "1.0"
    assert [dict(d.digest) for d in made.resolved_dependencies] == [{"gitCommit": "c" * 40}]
    assert ran.builder.id == "https://ci.example.org/releases"
    assert ran.metadata.started_on.ToJsonString() == "2025-01-27T09:58:00Z"
    assert ran.metadata.finished_on.ToJsonString() == "2025-01-27T10:00:00Z"
    (head,) = ran.byproducts
    assert (dict(head.digest), head.annotations["seq"]) == ({"sha256": "e" * 64}, 7)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"_type": "https://in-toto.io/Statement/v0.1"}', b'{"_type": 1, "subject": [1]}'],
)
def test_what_is_no_statement_has_no_subjects(content: bytes) -> None:
    assert subjects_of(content) is None


# On the way ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path / "toy.git", trust="")


def test_documents_are_written_after_the_test_and_before_the_decision(project: Project) -> None:
    """Beside the files, never among them; the ledger has their digests and its own head from before."""
    kinds, waits = settle(open_at(project.path, CUT))
    assert kinds == ["cut", "tag-candidate", "build", "test", "stage", "describe"]
    assert {w.code for w in waits} >= {"promotion.unapproved"}
    app = open_at(project.path, CUT)
    described, built = only(app, Kind.DESCRIBED, "0.1.1"), only(app, Kind.BUILT, "0.1.1")
    rows = {d["what"]: d for d in described.payload["documents"]}
    files = {a["file"]: a["sha256"] for a in built.payload["artifacts"]}
    wheel_file = "toykit-0.1.1-py3-none-any.whl"
    assert rows["sbom"]["file"] == f"{wheel_file}.cdx.json"
    assert rows["sbom"]["about"] == [files[wheel_file]]
    assert rows["provenance"]["about"] == list(files.values())
    assert sorted(p.name for p in app.paths.artifacts("v0.1.1-rc1").iterdir()) == sorted(files)
    folder = app.paths.documents("v0.1.1-rc1")
    assert valid((folder / rows["sbom"]["file"]).read_text())
    statement = read((folder / rows["provenance"]["file"]).read_text())
    (head,) = statement["predicate"]["runDetails"]["byproducts"]
    before = app.entries()[described.seq - 2]
    assert (head["annotations"]["seq"], head["digest"]["sha256"]) == (before.seq, before.digest)
    assert statement["predicate"]["runDetails"]["metadata"]["finishedOn"] == built.at.strftime("%Y-%m-%dT%H:%M:%SZ")
    (row,) = only(app, Kind.TESTED, "0.1.1").payload["installed"]
    assert row == {"name": "toykit", "version": "0.1.1", "license": "", "requires": []}


def test_a_candidate_that_is_built_again_is_described_again(project: Project) -> None:
    settle(open_at(project.path, CUT))
    controls.retry(open_at(project.path, CUT), "0.1.1", "build")
    assert settle(open_at(project.path, CUT))[0] == ["build", "describe"]


def test_a_candidate_whose_files_were_changed_is_not_described(project: Project) -> None:
    for _ in range(4):
        open_at(project.path, CUT).tick()
    app = open_at(project.path, CUT)
    next(app.paths.artifacts("v0.1.1-rc1").glob("*.tar.gz")).write_bytes(b"other")
    with pytest.raises(WorldFailed) as caught:
        app.tick()
    assert (caught.value.code, caught.value.clause) == ("artifact.changed", "B4")


def released(project: Project) -> None:
    settle(open_at(project.path, CUT))
    approve(open_at(project.path, GO), "0.1.1")
    settle(open_at(project.path, GO))


def codes(project: Project) -> list[str]:
    return sorted(p.code for p in verify(open_at(project.path, GO), "0.1.1"))


def test_verify_finds_documents_that_were_changed_or_lost(project: Project) -> None:
    released(project)
    assert codes(project) == []
    folder = open_at(project.path, GO).paths.documents("v0.1.1-rc1")
    path = folder / "toykit-0.1.1.provenance.json"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"v0.1.1-rc1", b"v0.1.1-rc2"))
    assert codes(project) == ["verify.document-changed"]
    path.unlink()
    assert codes(project) == ["verify.document-changed"]
    path.write_bytes(whole)
    assert codes(project) == []


def test_provenance_of_a_ci_build_names_the_workflow_its_run_and_the_ci_as_the_builder() -> None:
    """SLSA: "builder.id: … the transitive closure of the trusted build platform", "externalParameters … under
    external control"; what Headway would have run is not what was run."""
    policy = world_policy(project={"repository": "org/toy"}, build={"github": {"workflow": "wheels.yml"}})
    run = "https://forge.example/org/toy/actions/runs/77"
    statement = read(provenance(replace(ACTION, run=run), policy))
    ParseDict(statement["predicate"], Provenance())
    told = statement["predicate"]["buildDefinition"]["externalParameters"]
    assert told["workflow"] == "wheels.yml"
    assert not {"command", "environment"} & told.keys()
    details = statement["predicate"]["runDetails"]
    assert details["builder"]["id"] == "https://forge.example/org/toy/actions"
    assert details["metadata"]["invocationId"] == run
    named = world_policy(documents={"builder": "https://own.example/builder"})
    assert read(provenance(replace(ACTION, run=run), named))["predicate"]["runDetails"]["builder"]["id"] == (
        "https://own.example/builder"
    )


def test_provenance_of_repacked_files_names_the_tested_ones_that_they_were_made_from() -> None:
    policy = world_policy()
    tested = Artifact("toy-1.0rc1-py3-none-any.whl", "e" * 64, 100)
    made = read(provenance(replace(ACTION, repacked=True, candidate=(tested,)), policy))
    found = made["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert {"name": tested.file, "digest": {"sha256": tested.sha256}} in found
    own = read(provenance(replace(ACTION, candidate=(tested,)), policy))
    assert len(own["predicate"]["buildDefinition"]["resolvedDependencies"]) == 1


def test_verify_finds_a_provenance_about_other_files(project: Project) -> None:
    """The ledger agrees with the document, the document not with what was published."""
    settle(open_at(project.path, CUT))
    app = open_at(project.path, CUT)
    described = only(app, Kind.DESCRIBED, "0.1.1")
    path = app.paths.documents("v0.1.1-rc1") / "toykit-0.1.1.provenance.json"
    path.write_text(path.read_text().replace('.tar.gz"', '.zip"'))
    rows = [
        {**d, **artifact_of(path).as_json()} if d["what"] == "provenance" else d for d in described.payload["documents"]
    ]
    app.recording("headway").record(Kind.DESCRIBED, "0.1.1", {**described.payload, "documents": rows})
    approve(open_at(project.path, GO), "0.1.1")
    settle(open_at(project.path, GO))
    assert codes(project) == ["verify.other-subjects"]


def test_a_release_without_documents_is_a_problem_only_where_they_were_asked_for(tmp_path: Path) -> None:
    """One from before there were documents has a policy that knows no such table; one that asks for none, none."""
    plain = make_project(tmp_path / "plain.git", trust=PLAIN)
    released(plain)
    assert codes(plain) == []
    entries = open_at(plain.path, GO).entries()
    published = only(open_at(plain.path, GO), Kind.PUBLISHED, "0.1.1")
    asked = replace(published, payload={**published.payload, "policy": {"documents": {"sbom": True}}})
    assert [p.code for p in document_problems(asked, entries, {}, None)] == ["verify.undescribed"]
    old = replace(published, payload={**published.payload, "policy": {"schema": 1}})
    assert document_problems(old, entries, {}, None) == ()
    assert plain.ref(f"refs/heads/{BRANCH}")


def test_documents_that_were_never_here_could_not_be_checked_and_are_no_problem(tmp_path: Path) -> None:
    """As in a clone that loaded the state: a train that is over is carried without them."""
    project = make_project(tmp_path / "toy.git", trust='\n[forge]\npath = ""\n')
    released(project)
    shutil.rmtree(open_at(project.path, GO).paths.documents("v0.1.1-rc1"))
    proof = prove_release(open_at(project.path, GO), Version("0.1.1"))
    assert (proof.problems, proof.ok) == ((), False)
    assert [r.code for r in proof.absent] == ["verify.documents-not-here"]
    assert proof.as_json()["unchecked"] == [r.as_json() for r in proof.absent]
