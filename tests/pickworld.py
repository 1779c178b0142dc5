"""Random histories of all that a cherry-pick can meet, and git's own cherry-pick in a work tree beside them."""

from __future__ import annotations

import random
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from gitmaker import KEEPER, GitMaker, git_env

_SIDE = re.compile(r"~(?:HEAD|[0-9a-f]{7,64} \(.*\))$", re.DOTALL)
File = tuple[str, bytes]  # mode and content; for a submodule its commit


@dataclass
class History:
    """Commits as they are made: each is the whole state of the files."""

    seed: int
    chance: random.Random = field(init=False)
    stream: list[bytes] = field(default_factory=list)
    states: dict[int, dict[str, File]] = field(default_factory=dict)
    count: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)  # noqa: S311 - a seeded test

    def start(self) -> dict[str, File]:
        files: dict[str, File] = {
            f"{d}f{i}.txt": ("100644", self._text()) for d in ("", "a/", "a/b/") for i in range(4)
        }
        files["bin"] = ("100644", bytes(range(256)) * 4)
        files["link"] = ("120000", b"f0.txt")
        files["sub"] = ("160000", b"1" * 40)
        files["log.union"] = ("100644", self._text())
        files["é\udcff.txt"] = ("100644", self._text())
        files[".gitattributes"] = ("100644", self._attributes())
        return files

    def _text(self) -> bytes:
        return b"".join(b"%d line of %d\n" % (i, self.chance.randrange(10**6)) for i in range(30))

    def _attributes(self) -> bytes:
        rows = [b"*.union merge=union", b"f1.txt -merge", b"* text=auto", b"f2.txt eol=crlf", b"a/b/*.txt binary"]
        return b"\n".join(self.chance.sample(rows, self.chance.randrange(len(rows)))) + b"\n"

    def changed(self, files: dict[str, File]) -> dict[str, File]:
        files = dict(files)
        for _ in range(self.chance.choice((0, 1, 1, 1, 2, 2, 4))):
            self.chance.choice(
                (self._edit, self._edit, self._edit, self._edit, self._rename, self._mode, self._binary, self._new,
                 self._delete, self._submodule, self._link, self._clash, self._rules, self._folder)
            )(files)  # fmt: skip
        return files

    def _pick(self, files: dict[str, File], mode: str = "100") -> str:
        return self.chance.choice([p for p in files if files[p][0].startswith(mode)] or [*files])

    def _edit(self, files: dict[str, File]) -> None:
        path = self._pick(files)
        mode, data = files[path]
        rows = data.split(b"\n")
        at = self.chance.randrange(len(rows))
        rows[at : at + self.chance.randrange(3)] = [b"edit %d" % self.chance.randrange(50)] * self.chance.randrange(3)
        files[path] = (mode, b"\n".join(rows))

    def _rename(self, files: dict[str, File]) -> None:
        path = self._pick(files)
        put(files, f"{self.chance.choice(('', 'a/', 'new/'))}r{self.chance.randrange(20)}", files.pop(path))

    def _mode(self, files: dict[str, File]) -> None:
        path = self._pick(files)
        files[path] = ("100755" if files[path][0] == "100644" else "100644", files[path][1])

    def _binary(self, files: dict[str, File]) -> None:
        put(files, "bin", ("100644", bytes(self.chance.randrange(256) for _ in range(300))))

    def _new(self, files: dict[str, File]) -> None:
        put(files, f"{self.chance.choice(('', 'a/', 'n/'))}n{self.chance.randrange(8)}", ("100644", self._text()))

    def _delete(self, files: dict[str, File]) -> None:
        if len(files) > 6:
            files.pop(self._pick(files, ""))

    def _submodule(self, files: dict[str, File]) -> None:
        put(files, self.chance.choice(("sub", "sub2")), ("160000", b"%d" % self.chance.randrange(2, 6) * 40))

    def _link(self, files: dict[str, File]) -> None:
        put(files, self.chance.choice(("link", "f1.txt")), ("120000", b"f%d.txt" % self.chance.randrange(4)))

    def _clash(self, files: dict[str, File]) -> None:
        path = self._pick(files)
        put(files, self.chance.choice((f"{path}/inside", "a")), ("100644", self._text()))

    def _rules(self, files: dict[str, File]) -> None:
        put(files, self.chance.choice(("", "a/")) + ".gitattributes", ("100644", self._attributes()))

    def _folder(self, files: dict[str, File]) -> None:
        old, new = self.chance.choice((("a/b/", "c/"), ("a/", "z/")))
        for path in [p for p in files if p.startswith(old)]:
            put(files, new + path.removeprefix(old), files.pop(path))

    def commit(self, branch: str, files: dict[str, File], *parents: int) -> int:
        self.count += 1
        self.states[self.count] = files
        stamp = f"{1_700_000_000 + 3600 * self.count} +0000"
        rows = [f"commit refs/heads/{branch}\nmark :{self.count}\nauthor {KEEPER} {stamp}\ncommitter {KEEPER} {stamp}"]
        rows.append(f"data 3\nc{self.count % 10}\n")
        rows += [f"{'merge' if i else 'from'} :{p}" for i, p in enumerate(parents)]
        self.stream.append("\n".join([*rows, "deleteall\n"]).encode())
        for path, (mode, data) in files.items():
            name = path.encode("utf-8", "surrogateescape")
            if mode == "160000":
                self.stream.append(b"M 160000 %b %b\n" % (data, name))
            else:
                self.stream.append(b"M %b inline %b\ndata %d\n%b\n" % (mode.encode(), name, len(data), data))
        return self.count


def put(files: dict[str, File], path: str, file: File) -> None:
    """Write a file; what stands in its way, above or below, is gone."""
    for other in [p for p in files if p.startswith(f"{path}/") or path.startswith(f"{p}/")]:
        del files[other]
    files[path] = file


def random_history(folder: Path, seed: int, trunk: int = 14, branch: int = 5) -> tuple[GitMaker, list[tuple[str, str]]]:
    """A bare repository with ``main`` and ``rel``, and pairs (what to pick onto, trunk commit)."""
    maker = GitMaker(folder, bare=True)
    h = History(seed)
    root = tip = h.commit("main", h.start())
    fork = 0
    picks = []
    for i in range(trunk):
        tip = h.commit("main", h.changed(h.states[tip]), tip)
        if i == 2:
            fork = tip
        elif i > 2:
            picks.append(tip)
    release = fork
    ontos = []
    for _ in range(branch):
        release = h.commit("rel", h.changed(h.states[release]), release)
        ontos.append(release)
    merge = h.commit("side", h.changed(h.states[tip]), tip, release)
    alone = h.commit("alone", h.changed(h.start()))
    marks = folder / "marks"
    maker.run("fast-import", "--quiet", f"--export-marks={marks}", stdin=b"".join(h.stream))
    names = dict(line[1:].split() for line in marks.read_text().splitlines())
    marks.unlink()
    pairs = [(names[str(onto)], names[str(p)]) for onto in (ontos[-1], ontos[0]) for p in (*picks, merge, alone, root)]
    return maker, pairs


@dataclass(frozen=True)
class Really:
    """What git said: the tree of a clean pick, else the conflicting paths (a side's name behind a tilde left out)."""

    tree: str | None
    conflicts: tuple[str, ...]


class WorkTree:
    """A clone with a work tree in which picks are tried for real."""

    def __init__(self, maker: GitMaker, folder: Path) -> None:
        self.folder = folder
        self.env = git_env(maker.now)
        command = ["git", "clone", "-q", "--shared", "--no-checkout", str(maker.path), str(folder)]
        subprocess.run(command, env=self.env, check=True)

    def git(self, *args: str) -> tuple[int, str]:
        done = subprocess.run(["git", *args], cwd=self.folder, env=self.env, capture_output=True, check=False)
        return done.returncode, done.stdout.decode("utf-8", "replace") + done.stderr.decode("utf-8", "replace")

    def pick(self, onto: str, commit: str, parent: int = 1) -> Really | None:
        """``None`` when git itself dies (2.39 does of some renames into what was a file)."""
        (self.folder / ".git" / "index.lock").unlink(missing_ok=True)
        self.git("reset", "-q", "--hard")
        self.git("clean", "-qffdx")
        code, said = self.git("checkout", "-q", "-f", "--detach", onto)
        assert code == 0, said
        several = len(self.git("show", "-s", "--format=%P", commit)[1].split()) > 1
        args = ("--allow-empty", "--keep-redundant-commits", *(("-m", str(parent)) if several else ()))
        code, said = self.git("cherry-pick", *args, commit)
        unmerged = [row.split("\t")[1] for row in self.git("ls-files", "-u", "-z")[1].split("\0") if "\t" in row]
        if re.search(r"^(?:fatal|BUG): ", said, re.MULTILINE):
            return None
        if code:
            assert unmerged or "could not apply" in said, said
            return Really(None, tuple(sorted({_SIDE.sub("", p) for p in unmerged})))
        return Really(self.git("rev-parse", "HEAD^{tree}")[1].strip(), ())
