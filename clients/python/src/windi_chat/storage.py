"""Where the session, the outbox and a copy of the chats are kept."""

from __future__ import annotations

import json
import os
import sqlite3
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from .wire import Account, Chat, Message

Kind = Literal["send", "edit", "delete", "read"]


@dataclass(frozen=True)
class KeptSession:
    """Who is signed in, the pair of tokens, and the `client_refresh_id` of the refresh that is under way."""

    account: Account
    access_token: str
    expires_at: float
    """When the access token runs out, in seconds since 1970 by the clock of this machine."""
    refresh_token: str
    client_refresh_id: str | None = None


@dataclass(frozen=True)
class Entry:
    """A command in the outbox. `key` is the `client_message_id` of its message."""

    position: int
    """Grows with each entry: the order in which they are sent."""
    chat_id: int
    kind: Kind
    key: str
    created_at: str
    text: str | None = None
    reply_to_id: int | None = None
    message_id: int | None = None
    """Of the message that is changed or read; None until the server has stored that."""
    seq: int = 0
    """Of the message that is read."""
    cuts: int = 0
    """How many tries in a row have cut the connection."""
    error: str | None = None
    """Why the server has refused it for good."""


@dataclass(frozen=True)
class StoredChat:
    """A chat, of which the messages `start` … `seq` are stored, as of `change_seq`."""

    chat: Chat
    start: int
    seq: int
    change_seq: int


@dataclass
class Writes:
    """What is written together, or not at all, in this order."""

    dropped: set[int] = field(default_factory=set)
    chats: dict[int, StoredChat] = field(default_factory=dict)
    messages: dict[tuple[int, int], Message] = field(default_factory=dict)
    entries: dict[int, Entry] = field(default_factory=dict)
    removed: set[int] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.dropped or self.chats or self.messages or self.entries or self.removed)


_SCHEMA = """
CREATE TABLE IF NOT EXISTS owner (id INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS session (id INTEGER PRIMARY KEY CHECK (id = 1), value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS outbox (position INTEGER PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS chats (id INTEGER PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS messages (
  chat_id INTEGER NOT NULL, seq INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY (chat_id, seq)
) WITHOUT ROWID;
"""


class Storage:
    """An SQLite database, on the disk before a write returns. It is for one account, and one process at a time."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None

    def open(self) -> None:
        """Raises `sqlite3.OperationalError` when another process has it open."""
        if self._db:
            return
        if self._path != ":memory:":
            # Nobody else may read it.
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        db = sqlite3.connect(self._path, isolation_level=None)
        try:
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.executescript(_SCHEMA)
        except sqlite3.Error:
            db.close()
            raise
        self._db = db

    def close(self) -> None:
        if self._db and self._path != ":memory:":
            self._db.close()
            self._db = None

    def claim(self, user_id: int) -> bool:
        """Makes this the storage of a user. False when it is that of another one."""
        owner = self.owner()
        if owner is None:
            self._open.execute("INSERT INTO owner VALUES (?)", (user_id,))
        return owner in (None, user_id)

    def owner(self) -> int | None:
        """The id of the user whose storage it is, signed in or not."""
        row = self._open.execute("SELECT id FROM owner").fetchone()
        return int(row[0]) if row else None

    def load_session(self) -> KeptSession | None:
        row = self._open.execute("SELECT value FROM session").fetchone()
        return KeptSession(**json.loads(row[0])) if row else None

    def save_session(self, session: KeptSession | None) -> None:
        if session is None:
            self._open.execute("DELETE FROM session")
        else:
            self._open.execute("INSERT OR REPLACE INTO session VALUES (1, ?)", (json.dumps(asdict(session)),))

    def load_chats(self) -> list[StoredChat]:
        return [StoredChat(**value) for value in self._values("SELECT value FROM chats ORDER BY id")]

    def load_messages(self) -> list[Message]:
        messages: list[Message] = self._values("SELECT value FROM messages ORDER BY chat_id, seq")
        return messages

    def load_outbox(self) -> list[Entry]:
        return [Entry(**value) for value in self._values("SELECT value FROM outbox ORDER BY position")]

    def write(self, writes: Writes) -> None:
        db = self._open
        db.execute("BEGIN IMMEDIATE")
        try:
            self._write(db, writes)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    def clear(self) -> None:
        """Deletes everything."""
        self._open.executescript(
            "BEGIN; DELETE FROM owner; DELETE FROM session; DELETE FROM outbox;"
            "DELETE FROM chats; DELETE FROM messages; COMMIT;"
        )

    @property
    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            raise RuntimeError("The storage is closed.")
        return self._db

    def _values(self, query: str) -> list[Any]:
        return [json.loads(value) for (value,) in self._open.execute(query)]

    @staticmethod
    def _write(db: sqlite3.Connection, writes: Writes) -> None:
        for chat_id in writes.dropped:
            db.execute("DELETE FROM chats WHERE id = ?", (chat_id,))
            db.execute("DELETE FROM messages WHERE chat_id = ?", (chat_id,))
        for (chat_id, seq), message in writes.messages.items():
            db.execute("INSERT OR REPLACE INTO messages VALUES (?, ?, ?)", (chat_id, seq, json.dumps(message)))
        for chat_id, stored in writes.chats.items():
            db.execute("INSERT OR REPLACE INTO chats VALUES (?, ?)", (chat_id, json.dumps(asdict(stored))))
            db.execute("DELETE FROM messages WHERE chat_id = ? AND seq < ?", (chat_id, stored.start))
        for position, entry in writes.entries.items():
            db.execute("INSERT OR REPLACE INTO outbox VALUES (?, ?)", (position, json.dumps(asdict(entry))))
        for position in writes.removed:
            db.execute("DELETE FROM outbox WHERE position = ?", (position,))


class FileStorage(Storage):
    """Keeps everything in this file."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(os.fspath(path))


class MemoryStorage(Storage):
    """Keeps everything in memory: what waits in the outbox is lost when the program ends."""

    def __init__(self) -> None:
        super().__init__(":memory:")
