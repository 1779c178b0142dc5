"""Small real projects and distributions for tests of builds and indexes."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

from headway.effects.build import artifact_of
from headway.model.build import Artifact
from headway.policy import schema


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def build_policy(**values: object) -> schema.Build:
    return schema.Build.model_validate({"timeout_s": 300, **values})


def scm_project(folder: Path) -> Path:
    """A setuptools-scm project without its git history, as a clean export has none."""
    write(
        folder / "pyproject.toml",
        '[build-system]\nrequires = ["setuptools>=77", "setuptools-scm>=8"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "Toy.Scm"\ndynamic = ["version"]\nrequires-python = ">=3.9,<4"\n'
        '[tool.setuptools_scm]\nversion_file = "toy_scm/_version.py"\n[tool.setuptools]\npackages = ["toy_scm"]\n',
    )
    write(folder / "toy_scm" / "__init__.py", "from toy_scm._version import version as __version__\n")
    return folder


def hatch_project(folder: Path, version: str = "1.2.3", body: str = "ANSWER = 42\n") -> Path:
    """A hatchling project with its version written down."""
    write(
        folder / "pyproject.toml",
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        f'[project]\nname = "toy-hatch"\nversion = "{version}"\nrequires-python = ">=3.9"\n',
    )
    write(folder / "toy_hatch" / "__init__.py", body)
    return folder


def wheel(
    folder: Path, version: str, *, name: str = "toy", body: str = "", stated: str | None = None, requires: str = ""
) -> Path:
    """A wheel made by hand; ``stated`` is the METADATA's version when it is to differ from the file name's."""
    folder.mkdir(parents=True, exist_ok=True)
    path, info = folder / f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {stated or version}\nRequires-Python: >=3.9\n"
    files = {
        f"{name}/__init__.py": body,
        f"{info}/METADATA": metadata + (f"Requires-Dist: {requires}\n" if requires else ""),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{n},,\n" for n in files) + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(path, "w") as z:
        for n, text in {**files, f"{info}/RECORD": record}.items():
            z.writestr(zipfile.ZipInfo(n), text)
    return path


def sdist(folder: Path, version: str, *, name: str = "toy", body: str = "") -> Path:
    """An sdist made by hand: its PKG-INFO and one file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}.tar.gz"
    info = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Python: >=3.9\n"
    with tarfile.open(path, "w:gz") as t:
        for n, text in {"PKG-INFO": info, "toy.py": body}.items():
            member = tarfile.TarInfo(f"{name}-{version}/{n}")
            member.size = len(text.encode())
            t.addfile(member, io.BytesIO(text.encode()))
    return path


def as_files(*paths: Path) -> tuple[tuple[Path, Artifact], ...]:
    """Files with their artifacts, as a publication takes them."""
    return tuple((p, artifact_of(p)) for p in paths)
