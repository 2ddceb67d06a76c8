"""Collects what is to be stored, and writes together what has come together."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING

from .storage import Writes

if TYPE_CHECKING:
    from .held_chat import HeldChat
    from .storage import Entry, Storage
    from .wire import Message

RETRY_AFTER_S = 5.0


class Journal:
    """Each `flush` is one transaction. So a command leaves the outbox in the write that stores its message."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._writes = Writes()
        self._chats: dict[int, HeldChat] = {}
        self._timer: asyncio.Handle | None = None

    def put_message(self, message: Message) -> None:
        self._writes.messages[(message["chat_id"], message["seq"])] = message
        self._soon()

    def put_chat(self, chat: HeldChat) -> None:
        self._chats[chat.chat["id"]] = chat
        self._soon()

    def drop_chat(self, chat_id: int) -> None:
        self._chats.pop(chat_id, None)
        for key in [key for key in self._writes.messages if key[0] == chat_id]:
            del self._writes.messages[key]
        self._writes.dropped.add(chat_id)
        self._soon()

    def put_entry(self, entry: Entry) -> None:
        if entry.position not in self._writes.removed:
            self._writes.entries[entry.position] = entry
            self._soon()

    def remove_entry(self, position: int) -> None:
        self._writes.entries.pop(position, None)
        self._writes.removed.add(position)
        self._soon()

    def add_now(self, entry: Entry, replaced: list[int]) -> None:
        """Stores an entry in place of others before it returns. Raises `sqlite3.Error`: then nothing of it is kept."""
        before = self._writes.entries.copy(), self._writes.removed.copy()
        self.put_entry(entry)
        for position in replaced:
            self.remove_entry(position)
        try:
            self.flush()
        except sqlite3.Error:
            self._writes.entries, self._writes.removed = before
            raise

    def flush(self) -> None:
        """Writes what has been collected. After a `sqlite3.Error` it is still collected."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._writes.chats = {chat_id: chat.stored for chat_id, chat in self._chats.items()}
        if self._writes:
            self._storage.write(self._writes)
        self._writes = Writes()
        self._chats = {}

    def _soon(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_soon(self._flush_later)

    def _flush_later(self) -> None:
        self._timer = None
        try:
            self.flush()
        except sqlite3.Error:
            self._timer = asyncio.get_running_loop().call_later(RETRY_AFTER_S, self._flush_later)
