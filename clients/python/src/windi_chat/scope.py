"""Everything of one user: the parts, and the wires between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from .connection import Connection
from .events import Event, EventName
from .journal import Journal
from .message import Message
from .outbox import Outbox
from .outbox_sender import OutboxSender
from .store import Store
from .sync import Sync

if TYPE_CHECKING:
    from collections.abc import Callable

    from . import wire
    from .held_chat import HeldChat
    from .storage import Entry, Storage
    from .tokens import Tokens
    from .waiting import Changes

NO_MESSAGE = 2**53 - 1
"""The id of a message that isn't there: it is for the server to refuse."""


class Scope:
    """The listener of the store, of the outbox and of the connection, and what messages are read from."""

    def __init__(
        self, url: str, user_id: int, storage: Storage, tokens: Tokens, changes: Changes, emit: Callable[[Event], None]
    ) -> None:
        self.changes = changes
        self._user_id = user_id
        self._emit = emit
        self._messages: WeakValueDictionary[tuple[int, str], Message] = WeakValueDictionary()
        self._journal = Journal(storage)
        self.store = Store(user_id, self)
        self.outbox = Outbox(self._journal, self._on_outbox)
        self.connection = Connection(url, tokens, self)
        self.sync = Sync(self.store, self._ask, self._on_synced, self.connection.reconnect)
        self.sender = OutboxSender(self.outbox, self._attempt, self._is_ready)
        self._failed: set[int] = set()
        self._load(storage)

    async def close(self) -> None:
        self.sync.stop()
        await self.sender.close()
        await self.connection.close()
        self._journal.flush()

    def message(self, chat_id: int, key: str) -> Message:
        known = self._messages.get((chat_id, key))
        if known is None:
            known = self._messages[(chat_id, key)] = Message(self, chat_id, key)
        return known

    # What messages are read from.

    def user_id(self) -> int:
        return self._user_id

    def wire_of(self, chat_id: int, key: str) -> wire.Message | None:
        return self.store.message(chat_id, key)

    def waiting_of(self, chat_id: int, key: str) -> list[Entry]:
        return self.outbox.of(chat_id, key)

    def read_by_all(self, chat_id: int) -> int:
        held = self.store.chats.get(chat_id)
        return held.chat["read_by_all_seq"] if held else 0

    # What the store tells.

    def put(self, message: wire.Message) -> None:
        self._journal.put_message(message)
        self.outbox.stored(message)
        shown = self._messages.get((message["chat_id"], message["client_message_id"]))
        if shown:
            shown.take(message)

    def changed(self, chat: HeldChat | None = None) -> None:
        if chat and not chat.is_bare:
            self._journal.put_chat(chat)
        self.changes.notify()

    def dropped(self, chat_id: int) -> None:
        self._journal.drop_chat(chat_id)
        self.changes.notify()

    def missing(self) -> None:
        self.sync.missing()

    def happened(self, name: EventName, chat_id: int, key: str | None = None, payload: Any = None) -> None:
        self._emit(Event(name, chat_id, None if key is None else self.message(chat_id, key), payload))

    # What the connection tells.

    def connected(self) -> None:
        self.sync.start()

    def disconnected(self) -> None:
        self.sync.stop()
        self.changes.notify()

    def heard(self, name: str, payload: Any) -> None:
        if name == "typing":
            self.happened("typing", payload["chat_id"], payload=payload)
            return
        self.store.apply(name, payload)
        self._settle()

    def _load(self, storage: Storage) -> None:
        self.store.load(storage.load_chats(), storage.load_messages())
        self.outbox.load(storage.load_outbox())
        self._failed = {entry.position for entry in self.outbox.entries if entry.error}

    def _is_ready(self) -> bool:
        return self.sync.is_ready and self.connection.status == "connected"

    async def _ask(self, request: wire.SyncRequest) -> wire.News:
        news: wire.News = await self.connection.request("sync", request)
        return news

    def _on_synced(self) -> None:
        self._settle(is_synced=True)
        self.changes.notify()
        self.sender.resume()

    def _on_outbox(self) -> None:
        self.changes.notify()
        for entry in self.outbox.entries:
            if entry.error and entry.position not in self._failed:
                self._failed.add(entry.position)
                self.happened("failed", entry.chat_id, entry.key)
        self.sender.drain()

    def _settle(self, *, is_synced: bool = False) -> None:
        """Lets go of the messages that the store has. A chat that isn't held after a sync is none of the user's."""

        def seq_of(chat_id: int) -> int | None:
            held = self.store.chats.get(chat_id)
            return held.seq if held and not held.is_bare else None if is_synced else 0

        self.outbox.settle(seq_of)

    async def _attempt(self, entry: Entry) -> None:
        current = self.outbox.current(entry)
        if current is None:
            return
        if current.kind == "send":
            command: dict[str, Any] = {
                "chat_id": current.chat_id,
                "text": current.text,
                "client_message_id": current.key,
            }
            if current.reply_to_id is not None:
                command["reply_to_id"] = current.reply_to_id
            message = await self.connection.request("message:send", command)
            self.outbox.acked(current, message)
            self.store.apply("message:created", message)
            self._settle()
            return
        await self._attempt_change(current)

    async def _attempt_change(self, entry: Entry) -> None:
        stored = self.store.message(entry.chat_id, entry.key)
        message_id = entry.message_id or (stored["id"] if stored else NO_MESSAGE)
        if entry.kind == "read":
            answer = await self.connection.request("message:read", {"message_id": message_id})
            self.store.apply("read_receipt", answer)
        elif entry.kind == "edit":
            answer = await self.connection.request("message:edit", {"message_id": message_id, "text": entry.text})
            self.store.apply("message:updated", answer)
        else:
            answer = await self.connection.request("message:delete", {"message_id": message_id})
            self.store.apply("message:deleted", answer)
        self.outbox.done(entry)
