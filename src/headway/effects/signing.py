"""Signed tags: git signs, with its own settings (SSH, OpenPGP, X.509), and nobody is waited for.

A tag object is made in a repository of its own that shares the objects and reads the real one's settings, so that the
tag itself is set as any other of Headway's: once, and through the receiving end where there is one.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from headway.errors import WorldFailed
from headway.history.git import Git, git_env
from headway.history.repository import Repository
from headway.history.scratch import WRITES
from headway.history.tagsignature import is_signed
from headway.model.commit import Sha
from headway.model.text import Text, facts, say
from headway.policy.trust_tables import Signing
from headway.process import end_group

PATIENCE_S = 60.0  # an agent may ask a person at a screen, or want a token touched
# What a signing program would ask a person through.
_ASKS = ("GPG_TTY", "SSH_ASKPASS", "GIT_ASKPASS")


def is_wanted(repo: Repository, asked: Signing) -> bool:
    """Whether the final tag is to be signed. ``auto``: this repository's own configuration names a key, or git signs
    every tag; a key that a person has for all their work is not taken for a release's unasked."""
    if asked != "auto":
        return asked == "always"
    own = repo.git.try_run("config", "--local", "--get", "user.signingKey")
    return own[0] == 0 or repo.git.try_run("config", "--type=bool", "--get", "tag.gpgSign")[1].strip() == "true"


def signed_tag(
    repo: Repository,
    tag: str,
    commit: Sha,
    message: str,
    env: dict[str, str],
    *,
    patience_s: float = PATIENCE_S,
) -> Sha:
    """The object of a signed tag, which no ref names yet. ``env`` says who makes it and when.

    Raises ``WorldFailed`` (``tag.unsigned``) with the signing program's words, also when it did not end in time.
    """
    with tempfile.TemporaryDirectory(prefix="headway-tag-") as folder:
        scratch = Path(folder) / "tag.git"
        form = repo.git.run("rev-parse", "--show-object-format").strip()
        Git(scratch, check=False).run("init", "--quiet", "--template=", f"--object-format={form}", cwd=Path(folder))
        here = repo.work_tree or repo.git_dir  # from where git itself reads a key's path
        argv = ["git", f"--git-dir={scratch}", "-c", f"include.path={repo.git_dir / 'config'}"]
        argv += ["-c", "core.bare=true", "tag", "--sign", "--cleanup=verbatim", "-F", "-", "--", tag, commit]
        quiet = {k: v for k, v in git_env(env).items() if k not in _ASKS}
        quiet |= {WRITES: str(repo.git_dir / "objects"), "SSH_ASKPASS_REQUIRE": "never"}
        code, words = _run(argv, message.encode("utf-8", "replace"), quiet, here, patience_s)
        if code == 0:
            made = Git(scratch, check=False).run("rev-parse", "--verify", f"refs/tags/{tag}").strip()
            # git's status is 0 for some failures of ssh-keygen, and the tag then has no signature (seen with 2.39)
            if is_signed(repo.git.run("cat-file", "tag", made)):
                return made
    raise WorldFailed(
        "tag.unsigned",
        say("the tag {tag} could not be signed: {words}", tag=tag, words=words),
        clause="B5",
        facts=facts(tag=tag, commit=commit),
        remedy=say(
            "nothing was changed; let an agent hold the key (ssh-agent, gpg-agent) or take one without a passphrase: "
            "`git config user.signingKey`, `git config gpg.format`; then tick again. `versions.sign_tags` says whether "
            "a signature is wanted"
        ),
    )


def _run(argv: list[str], data: bytes, env: dict[str, str], cwd: Path, patience_s: float) -> tuple[int, Text]:
    """Exit status, and what it said. It runs in a session of its own: there is no terminal to ask at."""
    child = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env=env,
        start_new_session=True,
    )
    try:
        said = child.communicate(data, timeout=patience_s)[1].decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        end_group(child)
        child.communicate()
        return 124, say("it took longer than {limit} s; does it wait for a passphrase or a touch?", limit=patience_s)
    except BaseException:
        end_group(child)
        raise
    return child.returncode, say("{words}", words=" ".join(said.split()))
