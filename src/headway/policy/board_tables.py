"""The tables of a policy about its board: who may see and do what in a browser, and who is told of what waits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from headway.policy.table import Table, Words


class Board(Table):
    """Pages in a browser, and the API beside them: who may see and do what there (G1, G2).

    People who log in with their account are named as in `[talk]`: `@login`, `team:ORG/SLUG`, a right in the repository
    (`read`, `triage`, `write`, `maintain`, `admin`) or more; or `*` for whoever has an account there, whom anybody may
    be. Each list has those of the lists below it too. What a token may do is said when it is made.
    """

    url: str = Field("", description="Where others reach the board, as `https://board.example.org`; links lead there.")
    viewers: Words = Field(("read",), description="Who may look; in a public repository everybody has `read`.")
    requesters: Words = Field(("write",), description="Who may ask for picks.")
    managers: Words = Field(("admin",), description="Who may approve, hold, waive, slip and cut.")
    admins: Words = Field((), description="Who may also see and end the sessions of others, and their tokens.")
    oauth_client_env: str = Field(
        "HEADWAY_OAUTH_CLIENT_ID", description="Environment variable with the id of the OAuth App people log in with."
    )
    oauth_secret_env: str = Field(
        "HEADWAY_OAUTH_CLIENT_SECRET", description="Environment variable with its secret; it is never written down."
    )
    session_hours: Annotated[int, Field(gt=0, le=24 * 90)] = Field(12, description="Hours after which a login ends.")


class Notify(Table):
    """Word to people of what they must act on, sent by `headway serve` (G1, G2)."""

    urls_env: str = Field(
        "HEADWAY_NOTIFY_URLS",
        description="Environment variable with the addresses to send to, as apprise writes them (`slack://…`, "
        "`feishu://…`, `dingtalk://…`, `mailto://…`), one a line; they hold secrets, so they are never written down. "
        "Empty: nobody is told.",
    )
    lang: Literal["en", "zh"] = Field("en", description="Language of the messages.")
