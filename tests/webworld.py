"""A small real project on its way, for tests of boards and pages: real git, real builds, a clock that is set."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from gitmaker import GitMaker

from headway import controls, picking
from headway.app import Headway, open_headway
from headway.clock import SetClock
from headway.model.entry import Kind
from headway.model.measurement import Cell, Sample, Side
from headway.model.pick import PickRequest
from headway.perf.store import MeasurementStore
from headway.plan.actions import MeasureCandidate

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
PERF = """
[perf]
required = true
models = ["toy-small"]
hardware = ["cpu"]
serve = "{python} -m toy --port {port}"
looks = [3, 6]
[[perf.cells]]
model = "toy-small"
hardware = "cpu"
test = "decode"
client = "--input-len 16 --output-len 64"
metrics = ["median_tpot_ms", "output_throughput"]
[[perf.cells]]
model = "toy-small"
hardware = "cpu"
test = "prefill"
client = "--input-len 512 --output-len 1"
metrics = ["median_ttft_ms"]
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

    def pick(self, ref: str, category: str, reason: str, *evidence: str) -> picking.Requested:
        return picking.request_pick(self.app(), PickRequest(ref, category, reason, evidence))

    def to_open(self, *, settled: bool = True) -> World:
        """0.1.1 is cut; requests are made: a fix, documents, a feature that is refused; a trunk revert lands."""
        self.at("01-27T09")
        self.app().tick(settle=settled)
        self.at("01-27T10")
        self.fix = self.git.commit("[Bugfix] Stop at end of text (#4)", {"toy.py": "ANSWER = 42\n"})
        self.docs = self.git.commit("Explain the answer (#5)", {"docs/answer.md": "42\n"}, author="Bo <bo@example.org>")
        self.feature = self.git.commit("[Feature] Support beams (#6)", {"beams.py": "N = 4\n"})
        self.git.revert(self.broken)
        self.at("01-27T15")
        self.pick("#4", "regression", "0.1.0 stopped in time", "https://example.org/issues/4", "good=0.1.0", "bad=main")
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

    def measure(self, ratio: float) -> None:
        """Tick until measurements are due, and write them: the first metric is ``ratio`` times the baseline's.

        They go into the real store and ledger, as a runner would have put them; no engine is launched here.
        """
        while not (due := [a for a in self.app().plan().actions if isinstance(a, MeasureCandidate)]):
            self.app().tick()
        app, m = self.app(), due[0]
        with MeasurementStore(app.repo.state / "measurements.db", write=True) as store:
            store.add(m.commit, m.baseline, list(_samples(m.first, m.last, ratio)), [("host", "toy")])
        span = {"first": m.first, "last": m.last, "branch": m.branch, "digest": "0" * 64}
        known = {"tag": m.tag, "commit": m.commit, "baseline": m.baseline}
        self.record(Kind.MEASURED, m.train, {**known, **span})

    def record(self, kind: Kind, train: str, payload: dict[str, object]) -> None:
        self.app().recording("headway").record(kind, train, payload)

    def to_regressed(self) -> World:
        """rc1 is measured and slower in one metric; the culprit is named, and a hostile title waits for a review."""
        self.to_open(settled=False).at("01-28T09")
        self.measure(1.31)
        tag = self.app().train("0.1.1").candidates[-1].facts.tag
        culprit = {"tag": tag, "commit": self.first, "subject": HOSTILE, "ratio": 1.31, "confirmed": True}
        self.record(Kind.CULPRIT, "0.1.1", {**culprit, "suspects": [self.first]})
        self.git.commit(HOSTILE, {"toy.py": "ANSWER = 43\n"}, author="M\u202ellory <m@example.org>")
        self.pick("#66", "critical", "<img src=x onerror=alert(1)>")
        return self

    def to_busy(self) -> World:
        """Two trains at once: a post release waits for its go, the next patch was found to be slower."""
        self.to_released().at("01-29T12")
        controls.slip(self.app(), "0.1.2", date(2025, 2, 1), "the meetup is on the second")
        self.git.commit("Ask for performance", {"release.toml": POLICY + PERF})
        self.git.commit("[Perf] Keep keys and values in one buffer (#7)", {"cache.py": "ONE = True\n"})
        self.git.commit("[Bugfix] Do not lose the last token (#8)", {"toy.py": "ANSWER = 43\n"})
        self.at("01-30T09")
        picking.request_pick(
            self.app(),
            PickRequest(
                "#8",
                "critical",
                "answers lose their last token",
                ("https://example.org/issues/8", "symptom=wrong-results"),
            ),
            "0.1.1.post1",
        )
        self.measure(1.004)
        self.measure(1.31)
        self.git.commit("[Bugfix] Keys are aligned again (#9)", {"align.py": "ON = True\n"})
        return self.at("01-30T10")


def _samples(first: int, last: int, worse: float) -> Iterator[Sample]:
    decode, prefill = Cell("toy-small", "cpu", "decode"), Cell("toy-small", "cpu", "prefill")
    for block in range(first, last):
        wobble = 1 + 0.002 * (block % 3)
        for cell, metric, base, ratio in (
            (decode, "median_tpot_ms", 10.0, worse),
            (decode, "output_throughput", 100.0, 0.995),
            (prefill, "median_ttft_ms", 40.0, 1.004),
        ):
            yield Sample(block, Side.BASELINE, cell, metric, base)
            yield Sample(block, Side.CANDIDATE, cell, metric, base * ratio * wobble)
