"""A small real project and its trains: real git, real builds, a real index folder; time is set by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gitmaker import GitMaker
from packaging.version import Version

from headway import controls, picking
from headway.acting import Done
from headway.app import Headway, Silent, open_headway
from headway.clock import SetClock
from headway.model.entry import Entry, Kind
from headway.model.pick import Claims, PickRequest
from headway.model.reason import Reason
from headway.reports import verify_release

BASELINE = datetime(2025, 1, 15, 9, 0, tzinfo=UTC)
CUT = datetime(2025, 1, 27, 10, 0, tzinfo=UTC)
AFTER_CUT = datetime(2025, 1, 27, 12, 0, tzinfo=UTC)
PICKS = datetime(2025, 1, 28, 9, 0, tzinfo=UTC)
GO = datetime(2025, 1, 29, 12, 0, tzinfo=UTC)
POST = datetime(2025, 1, 30, 12, 0, tzinfo=UTC)
BRANCH = "releases/v0.1.1"
PERSON = "Rosa"

# A back-end that needs nothing from outside and writes the same bytes every time, so that a build takes a second.
_OWN_BACKEND = """
import base64, gzip, hashlib, io, os, pathlib, tarfile, time, zipfile

VERSION = os.environ.get("TOYKIT_VERSION", "0.0.0")
EPOCH = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
METADATA = (
    f"Metadata-Version: 2.1\\nName: toykit\\nVersion: {VERSION}\\nSummary: A toy\\nRequires-Python: >=3.9\\n"
    "Description-Content-Type: text/markdown\\n\\n# toykit\\n\\nIt counts.\\n"
)


def _sealed(data):
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode() + f",{len(data)}"


def _sources():
    return sorted(p for p in pathlib.Path("toykit").rglob("*.py"))


def build_wheel(folder, config_settings=None, metadata_directory=None):
    info = f"toykit-{VERSION}.dist-info"
    files = {p.as_posix(): p.read_bytes() for p in _sources()}
    files[f"{info}/METADATA"] = METADATA.encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\\nGenerator: own\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    files[f"{info}/RECORD"] = (
        "".join(f"{n},{_sealed(data)}\\n" for n, data in files.items()) + f"{info}/RECORD,,\\n"
    ).encode()
    name = f"toykit-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder) / name, "w") as z:
        for n, data in files.items():
            z.writestr(zipfile.ZipInfo(n, time.gmtime(EPOCH)[:6]), data)
    return name


def build_sdist(folder, config_settings=None):
    base = f"toykit-{VERSION}"
    files = {p.as_posix(): p.read_bytes() for p in [*_sources(), pathlib.Path("pyproject.toml")]}
    files |= {"backend.py": pathlib.Path("backend.py").read_bytes(), "PKG-INFO": METADATA.encode()}
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as t:
        for n, data in sorted(files.items()):
            member = tarfile.TarInfo(f"{base}/{n}")
            member.size, member.mtime = len(data), EPOCH
            t.addfile(member, io.BytesIO(data))
    (pathlib.Path(folder) / f"{base}.tar.gz").write_bytes(gzip.compress(raw.getvalue(), mtime=EPOCH))
    return f"{base}.tar.gz"
"""

_OWN = {
    "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
    "backend.py": _OWN_BACKEND,
}
_SCM = {
    "pyproject.toml": (
        '[build-system]\nrequires = ["setuptools>=77", "setuptools-scm>=8"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "toykit"\ndynamic = ["version"]\nrequires-python = ">=3.9"\n'
        '[tool.setuptools_scm]\n[tool.setuptools]\npackages = ["toykit"]\n'
    )
}

_POLICY = """schema = 1
preset = "generic"

[project]
name = "toykit"
{trust}
[test]
command = "{python} checks/check.py {version}"
paths = ["checks"]

[build.env]
TOYKIT_VERSION = "{version}"
SETUPTOOLS_SCM_PRETEND_VERSION = "{version}"
"""

# Documents and release objects have tests of their own (``trust=""``: as the preset has them).
PLAIN = """
[documents]
sbom = false
provenance = false

[forge]
path = ""
"""

_CHECK = """import sys
from importlib.metadata import version

import toykit

assert version("toykit") == sys.argv[1], version("toykit")
assert "site-packages" in toykit.__file__, toykit.__file__
"""

_FIRST = {
    "toykit/__init__.py": "",
    "toykit/count.py": "def count(xs):\n    return len(xs) - 1\n",
    "toykit/table.py": "def rows():\n    return list(range(3))\n",
    "toykit/parse.py": "def parse(text):\n    return text.split()\n",
    "checks/check.py": _CHECK,
    "docs/index.md": "# toykit\n",
}


@dataclass
class Project:
    """``made`` is where commits are made; ``path`` is the repository that Headway is given; ``shas`` by short name."""

    made: GitMaker
    path: Path
    shas: dict[str, str] = field(default_factory=dict)

    def git(self, *args: str) -> str:
        return GitMaker.run(self.made, *args, cwd=self.path)

    def commit(self, name: str, subject: str, files: dict[str, str | None], **how: Any) -> str:
        self.shas[name] = self.made.commit(subject, files, **how)
        return self.shas[name]

    def ref(self, name: str) -> str | None:
        return self.git("for-each-ref", "--format=%(objectname)", name) or None

    def refs(self) -> dict[str, str]:
        rows = self.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(row.split() for row in rows)


def make_project(
    folder: Path, *, own_backend: bool = True, policy: str = "", bare: bool = True, trust: str = PLAIN
) -> Project:
    """Trunk with release v0.1.0 and two commits since; then ``cut`` would be taken here."""
    made = GitMaker(folder, bare=bare)
    project = Project(made, folder)
    first = {**_FIRST, **(_OWN if own_backend else _SCM), "release.toml": _POLICY.replace("{trust}", trust) + policy}
    project.commit("first", "Begin (#1)", first, when=datetime(2025, 1, 14, 9, 0, tzinfo=UTC))
    made.now = BASELINE
    made.tag("v0.1.0", message="v0.1.0")
    project.commit(
        "table", "[Core] Faster table (#2)", {"toykit/table.py": "def rows():\n    return [0, 1, 2]\n"}, author=GRACE
    )
    project.commit("docs0", "[Doc] Name the parts (#3)", {"docs/parts.md": "count, table, parse\n"})
    return project


GRACE = "Grace Łø <grace@example.org>"
FIX = "def count(xs):\n    return len(xs)\n"


def grow_trunk(project: Project) -> None:
    """What lands on the trunk after the cut: fixes, a feature, a fix of it, a revert; and two commits off the trunk."""
    project.made.now = AFTER_CUT
    project.commit(
        "fix",
        "[Bugfix] Count all of them (#4)",
        {"toykit/count.py": FIX},
        body="The last one was left out.\n\nSigned-off-by: Grace Łø <grace@example.org>",
        author=GRACE,
    )
    project.commit("docs", "[Doc] How to install (#5)", {"docs/install.md": "pip install toykit\n"})
    coloured = "def parse(text, colour=None):\n    words = text.split()\n    return words, colour\n"
    project.commit("feature", "[Feature] Colours (#6)", {"toykit/parse.py": coloured})
    project.commit(
        "on-feature",
        "[Bugfix] Colours of nothing (#7)",
        {"toykit/parse.py": coloured.replace("words, colour", "words, colour or 0")},
    )
    project.shas["revert"] = project.made.revert(project.shas["table"])
    tip = project.made.tip("main")
    project.made.branch("grace/unmerged", tip)
    project.made.branch("grace/ci", tip)
    project.commit(
        "unmerged", "[Bugfix] Not merged (#8)", {"toykit/count.py": "count = len\n"}, branch="grace/unmerged"
    )
    project.commit("ci", "[CI] Only here", {".github/workflows/ci.yml": "on: push\n"}, branch="grace/ci")


class Steps(Silent):
    """A watcher that calls ``at(name)`` at each step."""

    def __init__(self, at: Callable[[str], None]) -> None:
        self._at = at

    def step(self, name: str) -> None:
        self._at(name)


def open_at(path: Path, now: datetime, at: Callable[[str], None] | None = None, person: str = PERSON) -> Headway:
    """The project with the clock at ``now``; ``at`` is called with the name of each step."""
    return open_headway(path, clock=SetClock(now), person=person, progress=Steps(at) if at else None)


SHOWN = {
    "regression": Claims(good="0.1.0", bad="main"),
    "critical": Claims(symptom="crash"),
    "new-feature-fix": Claims(feature="#1"),
}


def ask(
    app: Headway, ref: str, category: str, *evidence: str, onto: str | None = None, claims: Claims | None = None
) -> picking.Requested:
    """A request with the claims that its category asks for, unless others are given."""
    said = SHOWN.get(category, Claims()) if claims is None else claims
    return picking.request_pick(app, PickRequest(ref, category, "it is needed", evidence, said), onto)


def settle(app: Headway, version: str | None = None) -> tuple[list[str], tuple[Reason, ...]]:
    """Tick until only waits are left; the kinds of what was done, and the waits."""
    done, waits = app.tick(version, settle=True)
    return [d.action.kind for d in done], waits


def careful_settle(app: Headway, digest: Callable[[], str]) -> tuple[list[Done], tuple[Reason, ...]]:
    """The same, one tick at a time, each held against the plan made before it, which must write nothing."""
    everything: list[Done] = []
    while True:
        before = digest()
        planned = app.plan()
        assert digest() == before, "plan wrote to the repository"
        done, waits = app.tick()
        assert tuple(d.action for d in done) == planned.actions
        everything += done
        if not done:
            assert waits == tuple(w for t in planned.trains for w in t.waits)
            return everything, waits


def approve(app: Headway, version: str, gate: str = "go") -> Entry:
    given = controls.approve(app, version, gate)
    assert isinstance(given, Entry), given
    return given


def tree_digest(*roots: Path, without: Iterable[str] = ()) -> str:
    """Digest of all names, modes, links and bytes under the folders, times left out."""
    whole = hashlib.sha256()
    for root in roots:
        for p in sorted(root.rglob("*")):
            name = p.relative_to(root).as_posix()
            if any(name == w or name.startswith(f"{w}/") for w in without):
                continue
            what = p.readlink().as_posix().encode() if p.is_symlink() else p.read_bytes() if p.is_file() else b"/"
            whole.update(f"{name}\0{p.lstat().st_mode:o}\0".encode() + hashlib.sha256(what).digest())
    return whole.hexdigest()


def bytes_under(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def kinds(app: Headway, train: str = "") -> list[str]:
    return [str(e.kind) for e in app.entries() if not train or e.train == train]


def only(app: Headway, kind: Kind, train: str) -> Entry:
    """The one entry of a kind of a train."""
    found = [e for e in app.entries() if e.kind is kind and e.train == train]
    assert len(found) == 1, [e.as_json() for e in found]
    return found[0]


def verify(app: Headway, version: str) -> tuple[Reason, ...]:
    """What speaks against a released version, asked as the command asks."""
    return verify_release(app, Version(version)).problems
