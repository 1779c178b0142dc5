"""B5: the final tag carries the notes, and a signature when a key is set: git's own, which git itself verifies."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.version import Version
from sshkeys import allow, fingerprint, make_key
from trainkit import CUT, GO, Project, approve, make_project, only, open_at, settle, verify

from headway.effects.refs import identity_env
from headway.effects.signing import is_wanted, signed_tag
from headway.errors import WorldFailed
from headway.history.repository import open_repository
from headway.history.tagsignature import tag_signature
from headway.model.entry import Kind
from headway.model.markdown import in_words
from headway.noting import notes_for
from headway.proving import prove_release

ALWAYS = '\n[versions]\nsign_tags = "always"\n'


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings of this machine's user."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "no-gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


pytestmark = pytest.mark.usefixtures("alone")


def ready(folder: Path, policy: str = "", bare: bool = True) -> Project:
    """A train whose next ticks publish and tag."""
    project = make_project(folder, policy=policy, bare=bare)
    settle(open_at(project.path, CUT))
    approve(open_at(project.path, GO), "0.1.1")
    return project


def with_key(project: Project, key: Path | str) -> None:
    project.git("config", "gpg.format", "ssh")
    project.git("config", "user.signingKey", str(key))


@pytest.mark.parametrize("bare", [True, False])
def test_with_a_key_in_the_repository_the_final_tag_is_signed_and_git_verifies_it(tmp_path: Path, bare: bool) -> None:
    project, key = ready(tmp_path / "toy", bare=bare), make_key(tmp_path / "keys")
    with_key(project, key)
    app = open_at(project.path, GO)
    notes = notes_for(app, Version("0.1.1")).markdown()
    settle(app)
    released = only(open_at(project.path, GO), Kind.RELEASED, "0.1.1").payload
    assert (released["signature"], released["signer"]) == ("ssh", fingerprint(key))
    signers = allow(key, "headway@localhost", tmp_path / "signers")
    said = subprocess.run(
        ["git", "-c", f"gpg.ssh.allowedSignersFile={signers}", "tag", "-v", "v0.1.1"],
        cwd=project.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    assert 'Good "git" signature for headway@localhost' in said.stderr
    assert in_words(notes) in said.stdout
    assert "tag v0.1.1\ntagger Headway <headway@localhost>" in said.stdout
    assert project.git("rev-parse", "v0.1.1^{commit}") == released["commit"]
    assert verify(open_at(project.path, GO), "0.1.1") == ()
    assert prove_release(open_at(project.path, GO), Version("0.1.1"), allowed=signers).ok
    rc = tag_signature(app.repo, "v0.1.1-rc1")
    assert rc is not None
    assert rc.format == ""


def test_without_a_key_it_is_not_signed_and_never_is_never(tmp_path: Path) -> None:
    project = ready(tmp_path / "toy.git", '\n[versions]\nsign_tags = "never"\n')
    with_key(project, make_key(tmp_path / "keys"))
    settle(open_at(project.path, GO))
    assert "signature" not in only(open_at(project.path, GO), Kind.RELEASED, "0.1.1").payload
    plain = ready(tmp_path / "plain.git")
    settle(open_at(plain.path, GO))
    assert "signature" not in only(open_at(plain.path, GO), Kind.RELEASED, "0.1.1").payload
    assert verify(open_at(plain.path, GO), "0.1.1") == ()


def test_a_key_for_all_of_a_persons_work_is_not_taken_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where git signs every tag, or the repository names the key."""
    settings = tmp_path / "gitconfig"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    settings.write_text("[user]\n\tsigningKey = /k\n")
    project = make_project(tmp_path / "toy.git")
    repo = open_repository(project.path)
    assert not is_wanted(repo, "auto")
    assert is_wanted(repo, "always")
    settings.write_text("[user]\n\tsigningKey = /k\n[tag]\n\tgpgSign = true\n")
    assert is_wanted(repo, "auto")
    assert not is_wanted(repo, "never")


def test_always_without_a_key_releases_nothing_and_says_what_to_do(tmp_path: Path) -> None:
    project = ready(tmp_path / "toy.git", ALWAYS)
    with pytest.raises(WorldFailed) as caught:
        settle(open_at(project.path, GO))
    assert (caught.value.code, caught.value.clause) == ("tag.unsigned", "B5")
    assert "user.signingKey" in str(caught.value.remedy)
    assert project.ref("refs/tags/v0.1.1") is None
    with_key(project, make_key(tmp_path / "keys"))
    assert settle(open_at(project.path, GO))[0] == ["tag-final"]
    assert verify(open_at(project.path, GO), "0.1.1") == ()


def test_a_key_with_a_passphrase_is_refused_at_once_and_nobody_is_asked(tmp_path: Path) -> None:
    project, key = ready(tmp_path / "toy.git"), tmp_path / "locked"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "a passphrase", "-f", str(key)], check=True, capture_output=True
    )
    with_key(project, key)
    with pytest.raises(WorldFailed) as caught:
        settle(open_at(project.path, GO))
    assert caught.value.code == "tag.unsigned"
    assert "passphrase" in str(caught.value)
    assert project.ref("refs/tags/v0.1.1") is None


def test_a_signing_program_that_waits_is_ended(tmp_path: Path) -> None:
    """One that asks a person, whom nobody is at the other end of."""
    project, waits = make_project(tmp_path / "toy.git"), tmp_path / "waits"
    waits.write_text(f"#!{sys.executable}\nimport signal\nopen({str(tmp_path / 'began')!r}, 'w')\nsignal.pause()\n")
    waits.chmod(0o755)
    with_key(project, make_key(tmp_path / "keys"))
    project.git("config", "gpg.ssh.program", str(waits))
    tip = project.git("rev-parse", "main")
    with pytest.raises(WorldFailed) as caught:
        signed_tag(open_repository(project.path), "v1", tip, "x\n", identity_env(CUT), patience_s=2)
    assert caught.value.code == "tag.unsigned"
    assert "took longer than 2" in str(caught.value)
    assert (tmp_path / "began").exists()
    assert project.ref("refs/tags/v1") is None


def test_an_agent_holds_a_key_that_git_names_by_its_public_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("ssh-agent") is None:
        pytest.skip("there is no ssh-agent")
    project, key = make_project(tmp_path / "toy.git"), make_key(tmp_path / "keys")
    said = subprocess.run(["ssh-agent", "-s"], check=True, capture_output=True, text=True).stdout
    env = dict(part.split(";")[0].split("=", 1) for part in said.splitlines()[:2])
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", env["SSH_AUTH_SOCK"])
        subprocess.run(["ssh-add", "-q", str(key)], check=True, capture_output=True)
        public = key.with_name("ann.pub").read_text().strip()
        whose = fingerprint(key)
        key.unlink()
        with_key(project, f"key::{public}")
        repo = open_repository(project.path)
        made = signed_tag(repo, "v1", project.git("rev-parse", "main"), "x\n", identity_env(CUT))
    finally:
        os.kill(int(env["SSH_AGENT_PID"]), 15)
    project.git("update-ref", "refs/tags/v1", made)
    seen = tag_signature(repo, "v1")
    assert seen is not None
    assert (seen.text, seen.format, seen.holds, seen.key) == ("x\n", "ssh", True, whose)


def test_openpgp_signs_as_git_does_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("gpg") is None:
        pytest.skip("there is no gpg")
    home = Path("/tmp") / f"headway-gpg-{os.getpid()}"  # noqa: S108 - a socket's path must be short
    home.mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    try:
        quick = ["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key", "Rosa <rosa@example.org>"]
        subprocess.run([*quick, "ed25519", "sign", "never"], check=True, capture_output=True)
        project = ready(tmp_path / "toy.git")
        project.git("config", "user.signingKey", "rosa@example.org")
        settle(open_at(project.path, GO))
        released = only(open_at(project.path, GO), Kind.RELEASED, "0.1.1").payload
        assert released["signature"] == "openpgp"
        assert len(released["signer"]) == 40
        assert verify(open_at(project.path, GO), "0.1.1") == ()
        project.git("verify-tag", "v0.1.1")
        shutil.move(home / "pubring.kbx", home / "away")
        (problem,) = verify(open_at(project.path, GO), "0.1.1")
        assert (problem.clause, problem.code) == ("B5", "verify.tag-unchecked")
        assert "import" in str(problem.remedy)
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], check=False, capture_output=True)
        shutil.rmtree(home, ignore_errors=True)


def remade(project: Project, *how: str, message: str | None = None) -> None:
    """Somebody puts another tag in the place of the final one, on the same commit."""
    text = project.git("cat-file", "tag", "v0.1.1").partition("\n\n")[2] + "\n" if message is None else message
    project.made.run("tag", "-f", "-a", "--cleanup=verbatim", "-m", text, *how, "v0.1.1", "v0.1.1^{}", cwd=project.path)


def test_a_signed_tag_that_was_made_again_is_found_out(tmp_path: Path) -> None:
    project, key = ready(tmp_path / "toy.git"), make_key(tmp_path / "keys")
    with_key(project, key)
    settle(open_at(project.path, GO))
    whole = project.git("rev-parse", "v0.1.1")
    notes = project.git("cat-file", "tag", "v0.1.1").partition("\n\n")[2].partition("-----BEGIN")[0]
    project.git("config", "user.name", "Eve")
    project.git("config", "user.email", "eve@example.org")

    def codes() -> list[str]:
        return [p.code for p in verify(open_at(project.path, GO), "0.1.1")]

    remade(project, "--no-sign", message=notes)
    assert codes() == ["verify.tag-unsigned"]
    with_key(project, make_key(tmp_path / "keys", "eve"))
    remade(project, "--sign", message=notes)
    assert codes() == ["verify.tag-signer"]
    raw = project.git("cat-file", "tag", whole).replace("tagger Headway", "tagger Headwax") + "\n"
    forged = project.made.run("hash-object", "-t", "tag", "-w", "--stdin", cwd=project.path, stdin=raw.encode())
    project.git("update-ref", "refs/tags/v0.1.1", forged)
    assert codes() == ["verify.tag-signature"]
    project.git("update-ref", "refs/tags/v0.1.1", whole)
    assert codes() == []


def test_a_tag_made_by_hand_counts_with_the_same_notes_only(tmp_path: Path) -> None:
    """V5: on the right commit; what it says is what `headway notes` says, signed or not."""
    project = ready(tmp_path / "toy.git")
    open_at(project.path, GO).tick()
    planned = open_at(project.path, GO).train("0.1.1").action
    notes = getattr(planned, "notes")  # noqa: B009
    project.made.tag("v0.1.1", project.git("rev-parse", "releases/v0.1.1"), "somebody's own words")
    with pytest.raises(WorldFailed) as caught:
        open_at(project.path, GO).tick()
    assert caught.value.code == "tag.other-notes"
    project.git("tag", "-d", "v0.1.1")
    by_hand = ("tag", "-a", "--cleanup=verbatim", "-F", "-", "v0.1.1", "releases/v0.1.1")
    project.made.run(*by_hand, cwd=project.path, stdin=notes.encode())
    settle(open_at(project.path, GO))
    assert verify(open_at(project.path, GO), "0.1.1") == ()
