"""A small real project on its way, for tests of boards and pages: real git, real builds, a clock that is set."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from gitmaker import GitMaker

from headway import controls
from headway.app import Headway, open_headway
from headway.clock import SetClock
from headway.model.pick import PickRequest

# A back-end of the project's own: builds need nothing from any index.
BACKEND = """
import os, pathlib, tarfile, zipfile, io

def _version():
    return os.environ["SETUPTOOLS_SCM_PRETEND_VERSION"]

def build_wheel(folder, config_settings=None, metadata_directory=None):
    v = _version()
    name, info = f"toy-{v}-py3-none-any.whl", f"toy-{v}.dist-info"
    files = {
        "toy.py": pathlib.Path("toy.py").read_text(),
        f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: toy\\nVersion: {v}\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: toy\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{n},,\\n" for n in files) + f"{info}/RECORD,,\\n"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as z:
        for n, text in files.items():
            z.writestr(zipfile.ZipInfo(n), text)
    return name

def build_sdist(folder, config_settings=None):
    v = _version()
    name = f"toy-{v}.tar.gz"
    with tarfile.open(os.path.join(folder, name), "w:gz") as t:
        for path in ("pyproject.toml", "backend.py", "toy.py"):
            t.add(path, f"toy-{v}/{path}")
        raw = f"Metadata-Version: 2.1\\nName: toy\\nVersion: {v}\\n".encode()
        member = tarfile.TarInfo(f"toy-{v}/PKG-INFO")
        member.size = len(raw)
        t.addfile(member, io.BytesIO(raw))
    return name
"""
PYPROJECT = """[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "toy"
dynamic = ["version"]
"""
POLICY = """schema = 1
preset = "generic"
[project]
name = "toy"
[cadence]
anchor = 2025-01-15
anchor_version = "0.1.0"
"""
HOSTILE = 'Fix <script>document.title="owned"</script> \u202egnp.exe ' + "w" * 200 + " (#66)"


def day(text: str) -> datetime:
    """``01-28T09`` of 2025, in UTC."""
    return datetime.fromisoformat(f"2025-{text}:00").replace(tzinfo=UTC)


class World:
    """The project with its clock; ``at`` moves it."""

    def __init__(self, folder: Path, policy: str = POLICY) -> None:
        self.git = GitMaker(folder / "toy.git", bare=True)
        self.clock = SetClock(day("01-15T12"))
        self.git.now = day("01-15T08")
        files = {"backend.py": BACKEND, "pyproject.toml": PYPROJECT, "release.toml": policy, "toy.py": "ANSWER = 1\n"}
        self.git.commit("Begin", files)
        self.first = self.git.commit("Add decoding (#1)", {"toy.py": "ANSWER = 41\n"})
        self.git.tag("v0.1.0", message="0.1.0")
        self.broken = self.git.commit("[Feature] Support prefix caching (#2)", {"cache.py": "ON = True\n"})
        self.git.commit("Improve sampling (#3)", {"sampling.py": "TOP = 1\n"}, author="Bo <bo@example.org>")

    def app(self, person: str = "Rosa") -> Headway:
        return open_headway(self.git.path, clock=self.clock, person=person)

    def at(self, when: str) -> World:
        self.clock.set(day(when))
        self.git.now = day(when)
        return self

    def settle(self) -> World:
        self.app().tick(settle=True)
        return self

    def pick(self, ref: str, category: str, reason: str, *evidence: str) -> controls.Requested:
        return controls.request_pick(self.app(), PickRequest(ref, category, reason, evidence))

    def to_open(self) -> World:
        """0.1.1 is cut; requests are made: a fix, documents, a feature that is refused; a trunk revert lands."""
        self.at("01-27T09").settle()
        self.at("01-27T10")
        self.fix = self.git.commit("[Bugfix] Stop at end of text (#4)", {"toy.py": "ANSWER = 42\n"})
        self.docs = self.git.commit("Explain the answer (#5)", {"docs/answer.md": "42\n"}, author="Bo <bo@example.org>")
        self.feature = self.git.commit("[Feature] Support beams (#6)", {"beams.py": "N = 4\n"})
        self.git.revert(self.broken)
        self.at("01-27T15")
        self.pick("#4", "regression", "0.1.0 stopped in time", "https://example.org/issues/4")
        self.pick("#5", "docs", "asked for by users")
        self.pick("#6", "critical", "wanted by a customer")
        return self

    def to_decision(self) -> World:
        """rc1 is built and tested; only a go and the day are missing."""
        self.to_open().at("01-28T09").settle()
        return self

    def to_released(self) -> World:
        self.to_decision().at("01-29T08")
        controls.approve(self.app(), "0.1.1", "go")
        return self.at("01-29T09").settle()
