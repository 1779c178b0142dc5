"""The tables of a ledger, and the triggers that make its entries append-only."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text

SCHEMA = 1
"""The schema version that this program writes. 0 is a database with ``entries`` and nothing else."""

metadata = MetaData()

entries = Table(
    "entries",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("train", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("prev", Text, nullable=False, unique=True),
    Column("digest", Text, nullable=False, unique=True),
)

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

# INSERT OR REPLACE deletes the old row without firing the delete trigger: hence the third one.
_SQLITE = (
    """CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries
    BEGIN SELECT RAISE(ABORT, 'ledger entries are append-only'); END""",
    """CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries
    BEGIN SELECT RAISE(ABORT, 'ledger entries are append-only'); END""",
    """CREATE TRIGGER entries_no_replace BEFORE INSERT ON entries
    WHEN EXISTS (SELECT 1 FROM entries WHERE seq = NEW.seq OR prev = NEW.prev OR digest = NEW.digest)
    BEGIN SELECT RAISE(ABORT, 'ledger entries are append-only'); END""",
)

_POSTGRESQL = (
    """CREATE FUNCTION entries_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'ledger entries are append-only' USING ERRCODE = 'restrict_violation'; END $$""",
    """CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
    FOR EACH STATEMENT EXECUTE FUNCTION entries_append_only()""",
)

TRIGGERS: dict[str, tuple[str, ...]] = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
"""The statements that create the triggers, by SQLAlchemy dialect."""
