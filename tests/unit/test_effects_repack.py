"""B5: a release's files from its candidate's, with only what carries the version changed, and the proof of that."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.version import Version

from headway.decide.restating import Restating, candidate_version
from headway.effects.build import wheel_name_version
from headway.effects.rawzip import NotRaw, read_zip
from headway.effects.repack_check import repack_problems
from headway.effects.repack_rules import NotRepacked, Repacked
from headway.effects.repack_sdist import repack_sdist
from headway.effects.repack_wheel import repack_wheel
from headway.environment import fresh_environment

RC = Restating(Version("0.9.2rc1"), Version("0.9.2"))
FILES = ("_version.py",)
OLD = "toy-0.9.2rc1"
INFO = f"{OLD}.dist-info"
SCM = (
    "__version__ = version = '0.9.2rc1'\n__version_tuple__ = version_tuple = (0, 9, 2, 'rc1')\n"
    "\n__commit_id__ = commit_id = None\n"
)
BODY: dict[str, str | bytes] = {
    "toy/__init__.py": "from toy._version import version as __version__\n",
    "toy/_version.py": SCM,
    "toy/kernel.so": b"\x7fELF\0\0" + bytes(range(256)) * 400,
    "toy/table.txt": "row\n" * 5000,
    f"{OLD}.data/scripts/toy": "#!python\nprint('toy')\n",
}
METADATA = "Metadata-Version: 2.4\nName: toy\nVersion: 0.9.2rc1\nRequires-Python: >=3.9\n\nA toy.\n"


def made(
    folder: Path,
    files: dict[str, str | bytes] | None = None,
    metadata: str = METADATA,
    *,
    stream: bool = False,
    extra: dict[str, str] | None = None,
) -> Path:
    """A candidate's wheel; ``stream``: written as to a pipe, so that sizes follow the data (descriptors)."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {**(BODY if files is None else files), f"{INFO}/METADATA": metadata}
    content[f"{INFO}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    content |= extra or {}
    whole = {n: c.encode() if isinstance(c, str) else c for n, c in content.items()}
    rows = [f"{n},{digest(c)},{len(c)}\n" for n, c in whole.items()]
    whole[f"{INFO}/RECORD"] = "".join([*rows, f"{INFO}/RECORD,,\n"]).encode()
    out = Pipe() if stream else io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for i, (n, c) in enumerate(whole.items()):
            member = zipfile.ZipInfo(n, (2025, 1, 2, 3, 4, 2 * i))
            member.external_attr = (0o100755 if "scripts" in n else 0o100644) << 16
            member.compress_type = zipfile.ZIP_STORED if n.endswith(".so") else zipfile.ZIP_DEFLATED
            with z.open(member, "w", force_zip64=n.endswith("table.txt")) as f:
                f.write(c)
    path = folder / f"{OLD}-py3-none-any.whl"
    path.write_bytes(out.getvalue())
    return path


class Pipe(io.BytesIO):
    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError("a pipe")

    def seek(self, *_: int) -> int:
        raise OSError("a pipe")


def digest(content: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as z:
        assert z.testzip() is None
        return {n: z.read(n) for n in z.namelist()}


def packed(path: Path, name: str) -> bytes:
    raw = read_zip(path)
    m = next(m for m in raw.members if m.name == name)
    return path.read_bytes()[m.data : m.data + m.packed]


@pytest.mark.parametrize("stream", [False, True])
def test_only_what_carries_the_version_changes(tmp_path: Path, stream: bool) -> None:
    old = made(tmp_path / "rc", stream=stream)
    (tmp_path / "final").mkdir()
    row = repack_wheel(old, tmp_path / "final", RC, FILES)
    new = tmp_path / "final" / "toy-0.9.2-py3-none-any.whl"
    before, after = contents(old), contents(new)
    info = "toy-0.9.2.dist-info"
    assert list(after) == [n.replace(OLD, "toy-0.9.2") for n in before]
    assert after[f"{info}/METADATA"].decode() == METADATA.replace("0.9.2rc1", "0.9.2")
    assert after["toy/_version.py"].decode() == SCM.replace("0.9.2rc1", "0.9.2").replace("2, 'rc1')", "2)")
    changed = ("toy/_version.py", f"{info}/METADATA", f"{info}/RECORD")
    assert row.changed == changed
    assert row.same == len(before) - 3
    for name in before:
        now = name.replace(OLD, "toy-0.9.2")
        if now not in changed:
            assert packed(old, name) == packed(new, now), name
    with zipfile.ZipFile(old) as a, zipfile.ZipFile(new) as b:
        for one, two in zip(a.infolist(), b.infolist(), strict=True):
            assert (one.external_attr, one.date_time, one.compress_type) == (
                two.external_attr,
                two.date_time,
                two.compress_type,
            )
    for line in after[f"{info}/RECORD"].decode().splitlines():
        name, stated, size = line.split(",")
        if stated:
            assert (stated, int(size)) == (digest(after[name]), len(after[name]))
    assert wheel_name_version(new) == ("toy", "0.9.2")
    assert repack_problems(old, new, row, RC, FILES) == ()


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    old = made(tmp_path / "rc")
    rows = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        rows.append(repack_wheel(old, tmp_path / name, RC, FILES))
    assert rows[0] == rows[1]


def test_the_repacked_wheel_installs_and_is_the_release(tmp_path: Path) -> None:
    (tmp_path / "final").mkdir()
    repack_wheel(made(tmp_path / "rc", stream=True), tmp_path / "final", RC, FILES)
    wheel = tmp_path / "final" / "toy-0.9.2-py3-none-any.whl"
    python = fresh_environment(tmp_path / "env", [str(wheel)], log=tmp_path / "log", timeout_s=120)
    assert isinstance(python, Path), python
    code = "import importlib.metadata as m, toy; print(m.version('toy'), toy.__version__)"
    found = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["0.9.2", "0.9.2"]
    assert (python.parent / "toy").stat().st_mode & 0o111


def test_a_version_elsewhere_is_refused_with_the_files_and_the_key(tmp_path: Path) -> None:
    files = {**BODY, "toy/about.py": "ABOUT = 'toy v0.9.2-rc.1'\n", "toy/kernel.so": b"\0v0.9.2rc1"}
    with pytest.raises(NotRepacked) as e:
        repack_wheel(made(tmp_path / "rc", files), tmp_path, RC, FILES)
    assert str(e.value.why) == "these files would still say 0.9.2rc1: toy/about.py"
    assert "promotion.version_files" in str(e.value.remedy)
    row = repack_wheel(tmp_path / "rc" / f"{OLD}-py3-none-any.whl", tmp_path, RC, (*FILES, "toy/about.py"))
    assert "toy/about.py" in row.changed


@pytest.mark.parametrize(
    ("content", "left"),
    [
        ("v = '0.9.2rc1'", True),
        ("v = '0.9.2-rc1'", True),
        ("v = '0.9.2.RC.1'", True),
        ("v = (0, 9, 2, 'rc1')", True),
        ('v = (0,9,2,"rc", 1)', True),
        ("v = '0.9.2rc10'", False),
        ("v = '10.9.2rc1'", False),
        ("v = '0.9.2'", False),
        ("v = '0.9.1rc1'", False),
    ],
)
def test_which_words_name_the_candidate(tmp_path: Path, content: str, left: bool) -> None:
    old = made(tmp_path / "rc", {**BODY, "toy/about.py": content})
    if left:
        with pytest.raises(NotRepacked, match=r"toy/about\.py"):
            repack_wheel(old, tmp_path, RC, FILES)
    else:
        assert "toy/about.py" not in repack_wheel(old, tmp_path, RC, FILES).changed


def test_what_cannot_be_restated_is_refused_though_it_is_named(tmp_path: Path) -> None:
    """A tuple of five: what a release has in its place, nobody can tell."""
    old = made(tmp_path / "rc", {"toy/_version.py": "v = (0, 9, 2, 'rc', 1)\n"})
    with pytest.raises(NotRepacked, match=r"toy/_version\.py"):
        repack_wheel(old, tmp_path, RC, FILES)


def test_requirements_on_the_candidate_are_refused(tmp_path: Path) -> None:
    """A release that requires a candidate of its own parts is none."""
    metadata = METADATA.replace("\n\n", "\nRequires-Dist: toy-kernels==0.9.2rc1\n\n")
    with pytest.raises(NotRepacked, match="METADATA"):
        repack_wheel(made(tmp_path / "rc", metadata=metadata), tmp_path, RC, FILES)
    repack_wheel(tmp_path / "rc" / f"{OLD}-py3-none-any.whl", tmp_path, RC, (*FILES, "METADATA"))
    assert b"toy-kernels==0.9.2\n" in contents(tmp_path / "toy-0.9.2-py3-none-any.whl")["toy-0.9.2.dist-info/METADATA"]


@pytest.mark.parametrize("name", ["RECORD.jws", "RECORD.p7s"])
def test_a_signed_wheel_is_refused(tmp_path: Path, name: str) -> None:
    old = made(tmp_path / "rc", extra={f"{INFO}/{name}": "{}"})
    with pytest.raises(NotRepacked, match="is signed"):
        repack_wheel(old, tmp_path, RC, FILES)


@pytest.mark.parametrize("damage", ["cut", "prefix", "no-zip", "other"])
def test_damaged_and_other_archives_are_refused(tmp_path: Path, damage: str) -> None:
    old = made(tmp_path / "rc")
    whole = old.read_bytes()
    other = OLD.replace("rc1", "rc2")
    if damage == "other":
        old = old.rename(old.with_name(f"{other}-py3-none-any.whl"))
    old.write_bytes({"cut": whole[:-30], "prefix": b"#!" + whole, "no-zip": b"PK", "other": whole}[damage])
    with pytest.raises(NotRepacked):
        repack_wheel(old, tmp_path, RC, FILES)


def test_members_that_share_bytes_are_refused(tmp_path: Path) -> None:
    """A zip bomb's trick: what one of them is, the other would be too."""
    old = made(tmp_path / "rc")
    raw = bytearray(old.read_bytes())
    first = raw.index(b"PK\1\2")
    second = raw.index(b"PK\1\2", first + 4)
    raw[second + 42 : second + 46] = raw[first + 42 : first + 46]
    old.write_bytes(raw)
    with pytest.raises(NotRaw):
        read_zip(old)


def changed_wheel(path: Path, name: str, content: bytes) -> None:
    before = contents(path)
    with zipfile.ZipFile(path, "w") as z:
        for n, c in before.items():
            z.writestr(n, content if n == name else c)


@pytest.mark.parametrize(
    "name", ["toy/kernel.so", "toy/_version.py", "toy-0.9.2.dist-info/METADATA", "toy-0.9.2.dist-info/RECORD"]
)
def test_the_proof_finds_any_other_change(tmp_path: Path, name: str) -> None:
    """Even where the record was altered with the file."""
    old = made(tmp_path / "rc")
    (tmp_path / "final").mkdir()
    row = repack_wheel(old, tmp_path / "final", RC, FILES)
    new = tmp_path / "final" / row.file
    whole = bytearray(new.read_bytes())
    changed_wheel(new, name, contents(new)[name] + b" ")
    assert [str(p) for p in repack_problems(old, new, row, RC, FILES)] == [
        f"{row.file} or {row.of} is not the file that was recorded"
    ]
    resealed = replace(row, sha256=hashlib.sha256(new.read_bytes()).hexdigest())
    assert f"{name} in {row.file} is not what was tested" in [
        str(p) for p in repack_problems(old, new, resealed, RC, FILES)
    ]
    new.write_bytes(whole)
    assert repack_problems(old, new, row, RC, FILES) == ()
    assert repack_problems(old, new, replace(row, same=row.same - 1), RC, FILES) != ()
    assert repack_problems(old, new, replace(row, changed=row.changed[1:]), RC, FILES) != ()


def test_the_proof_finds_a_mode_and_a_member_that_is_gone(tmp_path: Path) -> None:
    old = made(tmp_path / "rc")
    row = repack_wheel(old, tmp_path, RC, FILES)
    new = tmp_path / row.file
    whole = new.read_bytes()

    def found() -> list[str]:
        resealed = replace(row, sha256=hashlib.sha256(new.read_bytes()).hexdigest())
        return [str(p) for p in repack_problems(old, new, resealed, RC, FILES)]

    at = whole.index(b"PK\1\2")
    new.write_bytes(whole[: at + 40] + b"\xed" + whole[at + 41 :])  # 0o100644 << 16 holds other bits there
    assert found() == [f"toy/__init__.py in {row.file} is not what was tested"]
    with zipfile.ZipFile(io.BytesIO(whole)) as z, zipfile.ZipFile(new, "w") as less:
        for n in z.namelist()[1:]:
            less.writestr(n, z.read(n))
    assert found() == [f"{row.file} holds other members than what was tested"]


# Source archives -------------------------------------------------------------------------------------------------

PKG: dict[str, str] = {
    "PKG-INFO": METADATA,
    "src/toy/__init__.py": "from toy._version import version\n",
    "src/toy/_version.py": SCM,
    "src/toy.egg-info/PKG-INFO": METADATA,
    "setup.py": "import setuptools; setuptools.setup()\n",
}


def made_sdist(folder: Path, files: dict[str, str] | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as t:
        top = tarfile.TarInfo(OLD)
        top.type, top.mode = tarfile.DIRTYPE, 0o755
        t.addfile(top)
        for n, text in (files or PKG).items():
            m = tarfile.TarInfo(f"{OLD}/{n}")
            m.size, m.mtime, m.mode, m.uname = (
                len(text.encode()),
                1736000000.25,
                0o755 if n == "setup.py" else 0o644,
                "ann",
            )
            t.addfile(m, io.BytesIO(text.encode()))
        link = tarfile.TarInfo(f"{OLD}/README")
        link.type, link.linkname = tarfile.SYMTYPE, "setup.py"
        t.addfile(link)
    path = folder / f"{OLD}.tar.gz"
    path.write_bytes(gzip.compress(raw.getvalue(), mtime=1736000000))
    return path


def test_a_source_archive_changes_only_where_it_says_the_version(tmp_path: Path) -> None:
    old = made_sdist(tmp_path / "rc")
    row = repack_sdist(old, tmp_path, RC, FILES)
    again = repack_sdist(old, tmp_path, RC, FILES)
    assert row == again
    new = tmp_path / "toy-0.9.2.tar.gz"
    assert row.changed == tuple(
        f"toy-0.9.2/{n}" for n in ("PKG-INFO", "src/toy/_version.py", "src/toy.egg-info/PKG-INFO")
    )
    assert row.same == 4
    with tarfile.open(old) as a, tarfile.open(new) as b:
        for one, two in zip(a, b, strict=True):
            assert two.name == one.name.replace(OLD, "toy-0.9.2")
            assert (one.mode, one.mtime, one.type, one.linkname, one.uname) == (
                two.mode,
                two.mtime,
                two.type,
                two.linkname,
                two.uname,
            )
            if one.isfile():
                assert b.extractfile(two).read().decode() == (  # type: ignore[union-attr]
                    PKG[one.name.partition("/")[2]].replace("0.9.2rc1", "0.9.2").replace(", 'rc1')", ")")
                )
    assert new.read_bytes()[4:8] == old.read_bytes()[4:8]
    assert repack_problems(old, new, row, RC, FILES) == ()


def test_a_source_archive_that_says_it_elsewhere_is_refused(tmp_path: Path) -> None:
    old = made_sdist(tmp_path / "rc", {**PKG, "pyproject.toml": 'version = "0.9.2rc1"\n'})
    with pytest.raises(NotRepacked, match=r"would still say 0\.9\.2rc1: pyproject\.toml"):
        repack_sdist(old, tmp_path, RC, FILES)
    assert "toy-0.9.2/pyproject.toml" in repack_sdist(old, tmp_path, RC, (*FILES, "/pyproject.toml")).changed


def test_the_proof_of_a_source_archive_finds_another_file(tmp_path: Path) -> None:
    old = made_sdist(tmp_path / "rc")
    row = repack_sdist(old, tmp_path, RC, FILES)
    other = made_sdist(tmp_path / "other", {**PKG, "setup.py": "import os\n"})
    (tmp_path / "evil").mkdir()
    repack_sdist(other, tmp_path / "evil", RC, FILES)
    new = tmp_path / "evil" / row.file
    resealed = replace(row, sha256=hashlib.sha256(new.read_bytes()).hexdigest())
    assert [str(p) for p in repack_problems(old, new, resealed, RC, FILES)] == [
        f"toy-0.9.2/setup.py in {row.file} is not what was tested"
    ]


@pytest.mark.parametrize("name", ["../evil", "other-1.0/setup.py"])
def test_a_source_archive_with_members_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    old = tmp_path / f"{OLD}.tar.gz"
    with tarfile.open(old, "w:gz") as t:
        t.addfile(tarfile.TarInfo(name))
    (tmp_path / "out").mkdir()
    with pytest.raises(NotRepacked):
        repack_sdist(old, tmp_path / "out", RC, FILES)


# Versions --------------------------------------------------------------------------------------------------------


def test_candidates_of_a_post_release_are_development_versions(tmp_path: Path) -> None:
    """V4: PEP 440 has no ``0.9.2.post1rc1``; ``.dev`` sorts before the post release and after the patch release."""
    assert str(candidate_version(Version("0.9.2"), 3)) == "0.9.2rc3"
    dev = candidate_version(Version("0.9.2.post1"), 2)
    assert str(dev) == "0.9.2.post1.dev2"
    assert Version("0.9.2") < dev < Version("0.9.2.post1")
    assert dev.is_prerelease
    restating = Restating(dev, Version("0.9.2.post1"))
    scm = b"v = '0.9.2.post1.dev2'\nt = (0, 9, 2, 'post1', 'dev2')\n"
    assert restating.text(scm) == b"v = '0.9.2.post1'\nt = (0, 9, 2, 'post1')\n"
    assert not restating.named_in(restating.text(scm))
    assert not restating.named_in(b"0.9.2.post1.dev20 0.9.2.post1")


def test_a_really_built_wheel_is_repacked(tmp_path: Path) -> None:
    """setuptools-scm writes a version file of its own; the build is told the candidate's version."""
    from pkgmaker import build_policy, scm_project

    from headway.effects.build import Built, build_candidate

    policy = build_policy(env={"SETUPTOOLS_SCM_PRETEND_VERSION": "{version}"})
    out = tmp_path / "rc"
    made = build_candidate(
        scm_project(tmp_path / "p"), out, "0.9.2rc1", policy, 0, log=tmp_path / "log", python=Path(sys.executable)
    )
    assert isinstance(made, Built), made
    (tmp_path / "final").mkdir()
    for artifact in made.artifacts:
        repack = repack_wheel if artifact.file.endswith(".whl") else repack_sdist
        row: Repacked = repack(out / artifact.file, tmp_path / "final", RC, FILES)
        assert repack_problems(out / artifact.file, tmp_path / "final" / row.file, row, RC, FILES) == ()
    names = sorted(os.listdir(tmp_path / "final"))
    assert names == ["toy_scm-0.9.2-py3-none-any.whl", "toy_scm-0.9.2.tar.gz"]
