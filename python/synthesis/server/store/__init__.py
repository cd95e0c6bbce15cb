"""The index: SQLAlchemy Core over SQLite; one file per resource, functions that take a connection."""
