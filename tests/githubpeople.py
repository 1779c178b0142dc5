"""Whose tokens the tests' GitHub knows: users, teams, an App with its signed requests; branches and their guards."""

from __future__ import annotations

import time
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from githubcore import HTML, NAME, OWNER, REPO, RIGHTS, Asked, Core, Identity, Route, Said, error

APP_ID, INSTALLATION = 4711, 8
_API = f"https://api.github.com/repos/{OWNER}/{NAME}"


@cache
def app_key() -> str:
    """The App's private key, as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kind, no = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, kind, no).decode()


class People:
    """``permissions`` of the App's installation; ``guards``: protection of a branch; ``rules``: rulesets' rules."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.permissions = dict(Identity(core.bot).permissions)
        self.guards: dict[str, dict[str, Any]] = {}
        self.rules: dict[str, list[dict[str, Any]]] = {}
        self.issued = 0

    def protect(self, branch: str, *, pull_only: bool = True, force: bool = False) -> None:
        """Guard a branch. A push by others than the API is not hindered: the repository is a folder here."""
        shape = self.core.spec.example("branch-protection")
        found: dict[str, Any] = {
            "url": f"{_API}/branches/{branch}/protection",
            "allow_force_pushes": {"enabled": force},
        }
        found["enforce_admins"] = {"url": shape["enforce_admins"]["url"], "enabled": True}
        if pull_only:
            review = {k: v for k, v in shape["required_pull_request_reviews"].items() if not isinstance(v, dict)}
            found["required_pull_request_reviews"] = {"required_approving_review_count": 1, **review}
        self.guards[branch] = found

    def rule(self, branch: str, kind: str, **parameters: Any) -> None:
        """A rule of a ruleset: ``pull_request``, ``non_fast_forward``, ``deletion`` …"""
        if kind == "pull_request":
            parameters = {**dict.fromkeys(_REVIEWS, False), "required_approving_review_count": 1, **parameters}
        origin = {"ruleset_source_type": "Repository", "ruleset_source": f"{OWNER}/{NAME}", "ruleset_id": 42}
        more = {"parameters": parameters} if parameters else {}
        self.rules.setdefault(branch, []).append({"type": kind, **origin, **more})

    def routes(self) -> tuple[Route, ...]:
        team = "/orgs/{org}/teams/{team_slug}/memberships/{username}"
        return (
            Route("GET", "/user", "", self._user),
            Route("GET", "/rate_limit", "", self._rate_limit),
            Route("GET", REPO, "metadata=read", self._repository),
            Route("GET", f"{REPO}/collaborators/{{username}}/permission", "metadata=read", self._permission),
            Route("GET", team, "members=read", self._membership),
            Route("GET", f"{REPO}/branches", "contents=read", self._branches),
            Route("GET", f"{REPO}/branches/{{branch}}/protection", "administration=read", self._protection),
            Route("GET", f"{REPO}/branches/{{branch}}", "contents=read", self._branch),
            Route("GET", f"{REPO}/git/ref/{{ref}}", "contents=read", self._ref),
            Route("GET", f"{REPO}/rules/branches/{{branch}}", "metadata=read", self._rules),
            Route("GET", f"{REPO}/rulesets", "metadata=read", self._rulesets),
            Route("GET", "/app", "app", self._app),
            Route("GET", "/app/installations", "app", lambda a: self.core.page(a, [self._installation_row()])),
            Route("GET", f"{REPO}/installation", "app", lambda _: Said(200, self._installation_row())),
            Route("POST", "/app/installations/{installation_id}/access_tokens", "app", self._access_token),
        )

    # The App ---------------------------------------------------------------------------------------------------

    def wrong_jwt(self, auth: str) -> Said | None:
        """Why an App's own request is not let in."""
        key = serialization.load_pem_private_key(app_key().encode(), None)
        public = key.public_key()
        ours = {"verify_iat": False, "verify_exp": False, "require": ["iat", "exp", "iss"]}
        try:
            claims = jwt.decode(auth.removeprefix("Bearer "), public, algorithms=["RS256"], options=ours)
        except jwt.PyJWTError:
            return error(401, "A JSON web token could not be decoded")
        now = time.time() + self.core.skew.total_seconds()
        if str(claims["iss"]) != str(APP_ID):
            return error(401, "Integration not found")
        if claims["exp"] < now:
            return error(401, "'Expiration time' claim ('exp') must be a numeric value representing the future time")
        if claims["exp"] > now + 600:
            return error(401, "'Expiration time' claim ('exp') is too far in the future")
        if claims["iat"] > now:
            return error(401, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion")
        return None

    def _app(self, _: Asked) -> Said:
        row = {**self.core.spec.example("integration"), "id": APP_ID, "slug": "headway", "name": "Headway"}
        return Said(200, {**row, "permissions": self._given()})

    def _given(self) -> dict[str, str]:
        return {k: v for k, v in self.permissions.items() if v != "none"}

    def _installation_row(self) -> dict[str, Any]:
        shape = self.core.spec.example("installation")
        row = {**shape, "id": INSTALLATION, "app_id": APP_ID, "app_slug": "headway", "permissions": self._given()}
        return {**row, "access_tokens_url": f"https://api.github.com/app/installations/{INSTALLATION}/access_tokens"}

    def _access_token(self, asked: Asked, installation: str) -> Said:
        if int(installation) != INSTALLATION:
            return error(404, "Not Found")
        self.issued += 1
        bot = self.core.users.get("headway[bot]") or self.core.person("headway[bot]", "write", kind="Bot")
        narrowed = asked.body.get("permissions") or self._given()
        beyond = [k for k, v in narrowed.items() if not Identity(bot, True, self.permissions).may(f"{k}={v}")]
        if beyond:
            return error(422, "The permissions requested are not granted to this installation.")
        token = f"ghs_of_the_test_{self.issued}"
        self.core.tokens[token] = Identity(bot, app=True, permissions=dict(narrowed))
        ends = time.time() + self.core.skew.total_seconds() + 3600
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ends))
        shape = {k: v for k, v in self.core.spec.example("installation-token").items() if k != "repositories"}
        given = {**shape, "token": token, "expires_at": expires, "permissions": dict(narrowed)}
        return Said(201, {**given, "repository_selection": "selected"})

    # Who may what ----------------------------------------------------------------------------------------------

    def _user(self, asked: Asked) -> Said:
        if asked.who is None:
            return error(401, "Requires authentication")
        if asked.who.app:
            return error(403, "Resource not accessible by integration")
        shape = self.core.spec.example("private-user-response-with-public-and-private-profile-information")
        return Said(200, {**shape, **self.core.row_of(asked.actor.login), "user_view_type": "private"})

    def _rate_limit(self, _: Asked) -> Said:
        return Said(200, self.core.spec.example("rate-limit-overview"))

    def _repository(self, asked: Asked) -> Said:
        row = self.core.spec.example("full-repository-default-response")
        row |= {"name": NAME, "full_name": f"{OWNER}/{NAME}", "default_branch": "main", "archived": False}
        row |= {"html_url": HTML, "private": self.core.private}
        row["owner"] |= {"login": OWNER}
        for part in ("permissions", "template_repository", "parent", "source"):  # as examples they lack a field
            row.pop(part, None)
        return Said(200, {"language": None, **row, **({"permissions": self.core.may} if asked.who else {})})

    def _permission(self, asked: Asked, login: str) -> Said:
        if asked.who is None or not self.core.pushes(asked.who):
            return error(403, "Must have push access to view collaborator permission.")
        user = self.core.users.get(login)
        if user is None:
            return error(404, f"{login} is not a user")
        coarse = {"maintain": "write", "triage": "read"}.get(user.right, user.right)
        shape = self.core.spec.example("repository-collaborator-permission-response-if-user-has-admin-permissions")
        rank = RIGHTS.index(user.right)
        may = {k: rank >= RIGHTS.index(v) for k, v in _MAY.items()}
        who = {**shape["user"], **self.core.row_of(login), "role_name": user.right, "permissions": may}
        return Said(200, {**shape, "permission": coarse, "role_name": user.right, "user": who})

    def _membership(self, _: Asked, org: str, slug: str, login: str) -> Said:
        user = self.core.users.get(login)
        if user is None or f"{org}/{slug}" not in user.teams:
            return error(404, "Not Found")
        shape = self.core.spec.example("team-membership-response-if-user-is-a-team-maintainer")
        return Said(200, {**shape, "role": "member", "state": "active"})

    # Branches --------------------------------------------------------------------------------------------------

    def _branches(self, asked: Asked) -> Said:
        rows = []
        for name, sha in self.core.refs("refs/heads").items():
            guarded = name in self.guards
            if asked.query.get("protected", str(guarded).lower()) == str(guarded).lower():
                rows.append(
                    {"name": name, "commit": {"sha": sha, "url": f"{_API}/commits/{sha}"}, "protected": guarded}
                )
        return self.core.page(asked, rows)

    def _branch(self, _: Asked, name: str) -> Said:
        sha = self.core.refs("refs/heads").get(name)
        if sha is None:
            return error(404, "Branch not found")
        shape, guarded = self.core.spec.example("branch-get"), name in self.guards
        guard = {**shape["protection"], "enabled": guarded}
        row = {**shape, "name": name, "protected": guarded or bool(self.rules.get(name)), "protection": guard}
        return Said(200, {**row, "commit": {**shape["commit"], "sha": sha}})

    def _protection(self, asked: Asked, branch: str) -> Said:
        if asked.who is None:
            return error(401, "Requires authentication")
        if branch not in self.core.refs("refs/heads"):
            return error(404, "Branch not found")
        found = self.guards.get(branch)
        return Said(200, found) if found else error(404, "Branch not protected")

    def _ref(self, _: Asked, ref: str) -> Said:
        try:
            sha = self.core.git("rev-parse", "--verify", "--quiet", f"refs/{ref}")
        except LookupError:
            return error(404, "Not Found")
        kind = self.core.git("cat-file", "-t", sha)
        shape = self.core.spec.example("git-ref")
        target = {"type": kind, "sha": sha, "url": f"{_API}/git/{kind}s/{sha}"}
        return Said(200, {**shape, "ref": f"refs/{ref}", "url": f"{_API}/git/refs/{ref}", "object": target})

    def _rules(self, asked: Asked, branch: str) -> Said:
        return self.core.page(asked, self.rules.get(branch, []))

    def _rulesets(self, asked: Asked) -> Said:
        if not any(self.rules.values()):
            return self.core.page(asked, [])
        row = {**self.core.spec.example("repository-ruleset-items")[0], "enforcement": "active"}
        return self.core.page(asked, [{**row, "id": 42, "name": "release branches", "source": f"{OWNER}/{NAME}"}])


_REVIEWS = (
    "dismiss_stale_reviews_on_push",
    "require_code_owner_review",
    "require_last_push_approval",
    "required_review_thread_resolution",
)
_MAY = {"pull": "read", "triage": "triage", "push": "write", "maintain": "maintain", "admin": "admin"}
