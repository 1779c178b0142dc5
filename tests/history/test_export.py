"""Clean exports."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from gitmaker import GitMaker

from headway.errors import UnusableInput, WorldFailed
from headway.history.export import export_tree
from headway.history.repository import open_repository


def test_an_export_is_the_commit_and_nothing_else(maker: GitMaker, tmp_path: Path) -> None:
    files = {"pkg/a.py": "1\r\n", "run.sh": "#!/bin/sh\n", "link": "pkg/a.py", "ü x": "caf\udce9"}
    sha = maker.commit("one", files, modes={"run.sh": "100755", "link": "120000"})
    maker.commit("two", {"later": "1\n"})
    export_tree(open_repository(maker.path), sha, tmp_path / "deep" / "out")
    out = tmp_path / "deep" / "out"
    found = sorted(str(p.relative_to(out)) for p in out.rglob("*") if not p.is_dir())
    assert [f for f in found if not f.startswith(".git/")] == sorted(files)
    assert (out / "pkg/a.py").read_bytes() == b"1\r\n"
    assert (out / "ü x").read_bytes() == b"caf\xe9"
    assert os.access(out / "run.sh", os.X_OK)
    assert (out / "link").readlink() == Path("pkg/a.py")


def test_only_some_paths(maker: GitMaker, tmp_path: Path) -> None:
    sha = maker.commit("one", {"tests/a": "1\n", "tests/b/c": "1\n", "src/d": "1\n", "*": "star\n"})
    repo = open_repository(maker.path)
    export_tree(repo, sha, tmp_path / "out", ("tests/", "*"))
    out = tmp_path / "out"
    assert sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()) == ["*", "tests/a", "tests/b/c"]
    with pytest.raises(UnusableInput) as e:
        export_tree(repo, sha, tmp_path / "none", ("nowhere",))
    assert e.value.code == "export.no-path"
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside"])
def test_a_link_that_leads_outside_is_refused(maker: GitMaker, tmp_path: Path, target: str) -> None:
    sha = maker.commit("one", {"bad": target}, modes={"bad": "120000"})
    with pytest.raises(UnusableInput, match="bad") as e:
        export_tree(open_repository(maker.path), sha, tmp_path / "out")
    assert e.value.code == "export.unsafe"


def test_an_unknown_commit_fails_with_gits_words(plain: GitMaker, tmp_path: Path) -> None:
    plain.commit("one", {"a": "1\n"})
    with pytest.raises(WorldFailed, match="1111111111") as e:
        export_tree(open_repository(plain.path), "1" * 40, tmp_path / "out")
    assert e.value.code == "git.failed"


def test_attributes_that_only_archives_obey_do_not_change_what_is_built(maker: GitMaker, tmp_path: Path) -> None:
    rules = "tests export-ignore\nversion.txt export-subst\n"
    files = {".gitattributes": rules, "tests/a": "1\n", "version.txt": "$Format:%H$\n"}
    sha = maker.commit("one", files)
    repo = open_repository(maker.path)
    export_tree(repo, sha, tmp_path / "whole")
    export_tree(repo, sha, tmp_path / "part", ("tests", "version.txt"))
    for out in (tmp_path / "whole", tmp_path / "part"):
        assert (out / "tests/a").read_text() == "1\n"
        assert (out / "version.txt").read_text() == "$Format:%H$\n"
    assert not (tmp_path / "part/.git").exists()


def test_a_whole_export_answers_what_build_back_ends_ask_git(maker: GitMaker, tmp_path: Path) -> None:
    sha = maker.commit("one", {"a": "1\n", "pkg/b": "2\r\n", ".gitignore": "made\n"})
    maker.tag("v9.9.9")
    maker.commit("two", {"later": "1\n"})
    out = tmp_path / "out"
    export_tree(open_repository(maker.path), sha, out, tag="v1.2.3")
    assert maker.run("ls-files", cwd=out).splitlines() == [".gitignore", "a", "pkg/b"]
    assert maker.run("rev-parse", "--show-toplevel", "HEAD", cwd=out).splitlines() == [str(out), sha]
    assert maker.run("describe", "--tags", "--dirty", "--long", cwd=out) == f"v1.2.3-0-g{sha[:7]}"
    assert maker.run("for-each-ref", "--format=%(refname)", cwd=out) == "refs/tags/v1.2.3"
    assert maker.run("status", "--porcelain", cwd=out) == ""


def test_an_export_of_a_shallow_and_of_a_partial_clone(maker: GitMaker, tmp_path: Path) -> None:
    maker.commit("one", {"a": "1\n"})
    sha = maker.commit("two", {"a": "2\n", "b": "3\n"})
    maker.run("config", "uploadpack.allowFilter", "true")
    url = maker.path.as_uri()
    maker.run("clone", "--quiet", "--depth=1", url, str(tmp_path / "shallow"))
    maker.run("clone", "--quiet", "--filter=blob:none", "--no-checkout", url, str(tmp_path / "partial"))
    for name in ("shallow", "partial"):
        out = tmp_path / f"{name}-out"
        export_tree(open_repository(tmp_path / name), sha, out)
        assert (out / "b").read_text() == "3\n"
        assert maker.run("log", "--format=%s", "-1", cwd=out) == "two"
