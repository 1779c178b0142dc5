"""B4: the checks of a candidate's files, by the tools themselves, on real wheels and sdists, good and bad."""

from __future__ import annotations

import io
import os
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy
import pytest
from pkgmaker import sdist, wheel, write
from worlds import policy

from headway.effects.checks import Files, check_files
from headway.model.build import CheckResult
from headway.model.text import say
from headway.policy.candidate_tables import CHECKS

PLATFORM = f"{os.uname().machine}"


def rows(
    tmp_path: Path,
    *paths: Path,
    version: str = "1.0",
    before: tuple[str | None, tuple[str, ...] | None] = (None, None),
    **tables: object,
) -> dict[str, CheckResult]:
    files = Files(paths, version, *before)
    found = check_files(files, policy(**tables), log=tmp_path / "log", timeout_s=120)  # type: ignore[arg-type]
    assert [c.name for c in found] == list(CHECKS[: len(found)])
    return {c.name: c for c in found}


def bad(found: dict[str, CheckResult]) -> set[str]:
    return {name for name, c in found.items() if c.ok is False}


def linked(folder: Path, tag: str, *, pure: bool = False, library: Path | None = None) -> Path:
    """A wheel that promises a platform; in it a shared ``library``, or this very Python, unless it is ``pure``."""
    path = folder / f"toy-1.0-cp311-cp311-{tag}.whl"
    folder.mkdir(parents=True, exist_ok=True)
    info = "toy-1.0.dist-info"
    content = (library or Path(sys.executable).resolve()).read_bytes()
    files: dict[str, bytes] = {"toy/__init__.py": b"", "toy/data.txt": b"d"}
    files |= {} if pure else {"toy/_native.so": content}
    files[f"{info}/METADATA"] = b"Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n"
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: hand\nTag: cp311-cp311-{tag}\n".encode()
    files[f"{info}/RECORD"] = "".join(f"{n},,\n" for n in (*files, f"{info}/RECORD")).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for n, data in files.items():
            z.writestr(zipfile.ZipInfo(n), data)
    return path


def test_honest_files_pass_and_what_was_not_run_says_so(tmp_path: Path) -> None:
    found = rows(tmp_path, wheel(tmp_path, "1.0"), sdist(tmp_path, "1.0"))
    assert bad(found) == set()
    assert found["auditwheel"] == CheckResult("auditwheel", None, say("not run: no wheel is for a Linux platform"))
    assert found["previous"] == CheckResult("previous", None, say("not compared: there is no earlier release"))
    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert "twine" in log
    assert "check_wheel_contents" in log


def test_another_version_inside_an_sdist_or_a_wheel_is_found(tmp_path: Path) -> None:
    """Version inside = version outside, of every file, and the name too."""
    lying = tmp_path / "toy-1.0.tar.gz"
    with tarfile.open(lying, "w:gz") as t:
        data = b"Metadata-Version: 2.1\nName: toy\nVersion: 1.1\n"
        member = tarfile.TarInfo("toy-1.0/PKG-INFO")
        member.size = len(data)
        t.addfile(member, io.BytesIO(data))
    found = rows(tmp_path, wheel(tmp_path, "1.0"), lying)
    assert "PKG-INFO says toy 1.1, its name toy 1.0" in str(found["version"].why)
    other = rows(tmp_path, wheel(tmp_path / "o", "2.0"), sdist(tmp_path / "o", "1.0"))
    assert "toy-2.0-py3-none-any.whl carries version 2.0, not 1.0" in str(other["version"].why)
    two = rows(tmp_path, wheel(tmp_path / "p", "1.0", name="else"), sdist(tmp_path / "p", "1.0"))
    assert "different projects" in str(two["version"].why)


def test_a_description_that_the_index_would_refuse_is_found_by_twine(tmp_path: Path) -> None:
    path = tmp_path / "toy-1.0-py3-none-any.whl"
    good = wheel(tmp_path / "w", "1.0")
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(path, "w") as new:
        for item in old.infolist():
            data = old.read(item)
            if item.filename.endswith("METADATA"):
                data = data + b"Description-Content-Type: text/x-rst\n\nSee :bogus:`this`.\n"
            new.writestr(item, data)
    found = rows(tmp_path, path, sdist(tmp_path, "1.0"))
    assert bad(found) == {"twine"}
    assert "twine check refuses toy-1.0-py3-none-any.whl: " in str(found["twine"].why)


def test_contents_that_do_not_belong_into_a_wheel_are_found_unless_ignored(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    good = wheel(folder, "1.0")
    with zipfile.ZipFile(good, "a") as z:
        z.writestr("tests/test_toy.py", "assert True\n")
    with zipfile.ZipFile(good) as z:
        content = {n: z.read(n) for n in z.namelist()}
    content["toy-1.0.dist-info/RECORD"] = "".join(f"{n},,\n" for n in content).encode()
    with zipfile.ZipFile(good, "w") as z:
        for n, data in content.items():
            z.writestr(n, data)
    found = rows(tmp_path, good, sdist(tmp_path, "1.0"))
    assert bad(found) == {"wheel-contents"}
    assert "W005" in str(found["wheel-contents"].why) or "W009" in str(found["wheel-contents"].why)
    ignored = rows(tmp_path, good, sdist(tmp_path, "1.0"), test={"contents_ignore": ("W005", "W009")})
    assert bad(ignored) == set()


def test_a_file_larger_than_the_index_takes(tmp_path: Path) -> None:
    """Size against the index's limits; 0: none."""
    large = wheel(tmp_path, "1.0", body="N = '" + "x" * (1 << 20) + "'\n")
    found = rows(tmp_path, large, sdist(tmp_path, "1.0"), index={"file_limit_mb": 1})
    assert bad(found) == {"size"}
    assert "toy-1.0-py3-none-any.whl (1.0 MB)" in str(found["size"].why)
    assert "1 MB that the index takes" in str(found["size"].why)
    assert bad(rows(tmp_path, large, sdist(tmp_path, "1.0"), index={"file_limit_mb": 0})) == set()


def test_what_the_policy_expects_is_there_once(tmp_path: Path) -> None:
    found = rows(tmp_path, wheel(tmp_path, "1.0"))
    assert "*.tar.gz" in str(found["expected"].why)


def test_what_the_release_before_had_is_there_again(tmp_path: Path) -> None:
    before = ("0.9", ("toy-0.9-py3-none-any.whl", "toy-0.9-cp311-cp311-win_amd64.whl", "toy-0.9.tar.gz"))
    found = rows(tmp_path, wheel(tmp_path, "1.0"), sdist(tmp_path, "1.0"), before=before)
    assert bad(found) == {"previous"}
    assert str(found["previous"].why) == "0.9 had what is missing now: cp311-cp311-win_amd64"
    unknown = rows(tmp_path, wheel(tmp_path, "1.0"), sdist(tmp_path, "1.0"), before=("0.9", ()))
    assert unknown["previous"] == CheckResult(
        "previous", None, say("not compared: no file of {previous} is known", previous="0.9")
    )


def honest_name() -> str:
    return f"toy-1.0-cp311-cp311-linux_{PLATFORM}.whl"


@pytest.mark.skipif(sys.platform != "linux", reason="auditwheel is about Linux")
def test_a_platform_tag_that_the_wheel_does_not_honour(tmp_path: Path) -> None:
    """auditwheel show: this Python's own binary links newer symbols than manylinux1 promises."""
    promising = linked(tmp_path / "a", f"manylinux1_{PLATFORM}")
    found = rows(tmp_path, promising, sdist(tmp_path, "1.0"))
    assert "auditwheel" in bad(found)
    assert f"does not keep its promise of manylinux1_{PLATFORM}" in str(found["auditwheel"].why)
    honest = rows(tmp_path, linked(tmp_path / "b", f"linux_{PLATFORM}"), sdist(tmp_path, "1.0"))
    assert honest["auditwheel"] == CheckResult("auditwheel", True)
    sent = {"index": {"upload_url": "https://up.example/", "simple_url": "https://up.example/simple"}}
    refused = rows(tmp_path, tmp_path / "b" / honest_name(), sdist(tmp_path, "1.0"), **sent)
    assert "auditwheel repair" in str(refused["auditwheel"].why)
    pure = rows(tmp_path, linked(tmp_path / "c", f"manylinux_2_17_{PLATFORM}", pure=True), sdist(tmp_path, "1.0"))
    assert "cannot tell" in str(pure["auditwheel"].why)


@pytest.mark.skipif(sys.platform != "linux", reason="auditwheel is about Linux")
def test_libraries_that_another_distribution_brings_are_named_in_the_policy(tmp_path: Path) -> None:
    """As torch's are for an extension of it: NumPy's own needs the OpenBLAS that lies in another folder."""
    library = next(Path(numpy.__file__).parent.rglob("_multiarray_umath*.so"))
    path = linked(tmp_path / "w", f"manylinux_2_28_{PLATFORM}", library=library)
    found = rows(tmp_path, path, sdist(tmp_path, "1.0"))
    if found["auditwheel"].ok:
        pytest.skip("this NumPy links nothing from outside")
    assert "libraries from outside: lib" in str(found["auditwheel"].why)
    known = {"external_libs": ("lib*openblas*", "libgfortran*", "libquadmath*")}
    assert rows(tmp_path, path, sdist(tmp_path, "1.0"), test=known)["auditwheel"].ok is True
    older = linked(tmp_path / "o", f"manylinux1_{PLATFORM}", library=library)
    assert rows(tmp_path, older, sdist(tmp_path, "1.0"), test=known)["auditwheel"].ok is False


def test_files_that_are_no_archives_fail_in_words(tmp_path: Path) -> None:
    broken = write(tmp_path / "toy-1.0-py3-none-any.whl", "no zip")
    found = rows(tmp_path, broken, sdist(tmp_path, "1.0"))
    assert {"version", "twine", "wheel-contents"} <= bad(found)
    assert "cannot be used" in str(found["version"].why)


def test_a_tool_that_hangs_is_ended(tmp_path: Path) -> None:
    files = Files((wheel(tmp_path, "1.0"), sdist(tmp_path, "1.0")), "1.0", None, None)
    found = check_files(files, policy(), log=tmp_path / "log", timeout_s=0.01)
    assert [c.name for c in found if c.ok is False] == ["twine", "wheel-contents"]
    assert "it took too long" in str(found[4].why)
