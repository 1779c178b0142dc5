"""The append-only record, on SQLite or PostgreSQL; export, backup, verification."""
