"""A message as it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from .errors import ChatError

if TYPE_CHECKING:
    from . import wire
    from .storage import Entry
    from .waiting import Changes

MessageStatus = Literal["sending", "sent", "read", "failed", "dropped"]


@dataclass(frozen=True)
class PendingChange:
    """An edit or a deletion in the outbox. One that has failed has the refused text; the message shows the old one."""

    kind: Literal["edit", "delete"]
    status: Literal["sending", "failed"]
    text: str | None
    error: str | None


class MessageSource(Protocol):
    """What a message is read from."""

    changes: Changes

    def user_id(self) -> int: ...

    def wire_of(self, chat_id: int, key: str) -> wire.Message | None: ...

    def waiting_of(self, chat_id: int, key: str) -> list[Entry]: ...

    def read_by_all(self, chat_id: int) -> int: ...


class Message:
    """A message of a chat, the same object from the first try to the last reader. Its properties are as of now."""

    def __init__(self, source: MessageSource, chat_id: int, key: str) -> None:
        self.chat_id = chat_id
        self.key = key
        """The `client_message_id`: the same from the first try on."""
        self._source = source
        self._stored = source.wire_of(chat_id, key)
        self._entry: Entry | None = None

    @property
    def id(self) -> int | None:
        """None until the server has it."""
        return self._stored["id"] if self._stored else None

    @property
    def seq(self) -> int | None:
        """Its number in the chat; None until the server has it."""
        return self._stored["seq"] if self._stored else None

    @property
    def sender_id(self) -> int:
        return self._stored["sender_id"] if self._stored else self._source.user_id()

    @property
    def text(self) -> str | None:
        """With an edit that waits. None when it is deleted."""
        change = self.change
        if change and change.status == "sending":
            return change.text
        if self._stored:
            return self._stored["text"]
        entry = self._send
        return entry.text if entry else None

    @property
    def timestamp(self) -> str:
        if self._stored:
            return self._stored["timestamp"]
        entry = self._send
        return entry.created_at if entry else ""

    @property
    def reply_to_id(self) -> int | None:
        if self._stored:
            return self._stored["reply_to_id"]
        entry = self._send
        return entry.reply_to_id if entry else None

    @property
    def edited_at(self) -> str | None:
        return self._stored["edited_at"] if self._stored else None

    @property
    def deleted_at(self) -> str | None:
        return self._stored["deleted_at"] if self._stored else None

    @property
    def status(self) -> MessageStatus:
        """In the outbox, on the server, read by all others, refused for good, or given up by this client."""
        if self._stored:
            is_read = self._stored["seq"] <= self._source.read_by_all(self.chat_id)
            return "read" if is_read and self.sender_id == self._source.user_id() else "sent"
        entry = self._waiting_send()
        if entry is None:
            return "dropped"
        return "failed" if entry.error else "sending"

    @property
    def error(self) -> str | None:
        """Why it has failed."""
        entry = None if self._stored else self._waiting_send()
        return entry.error if entry else None

    @property
    def change(self) -> PendingChange | None:
        """What waits in the outbox, or has failed, to be done to it."""
        waiting = [entry for entry in self._source.waiting_of(self.chat_id, self.key) if entry.kind != "send"]
        if not waiting:
            return None
        kind: Literal["edit", "delete"] = "edit" if waiting[-1].kind == "edit" else "delete"
        error = waiting[-1].error
        return PendingChange(kind, "failed" if error else "sending", waiting[-1].text, error)

    async def sent(self) -> None:
        """Waits until the server has it. Raises a `ChatError` when it refuses it for good, or when it is dropped."""
        changes = self._source.changes
        while self.status not in ("sent", "read"):
            if self.status in ("failed", "dropped"):
                raise ChatError(self.error or "dropped", "The message was not sent.")
            await changes.after(changes.version)

    def take(self, stored: wire.Message) -> None:
        """The store has a new version. It is kept when the store holds later ones only."""
        self._stored = stored

    @property
    def _send(self) -> Entry | None:
        self._entry = self._waiting_send() or self._entry
        return self._entry

    def _waiting_send(self) -> Entry | None:
        waiting = self._source.waiting_of(self.chat_id, self.key)
        return next((entry for entry in waiting if entry.kind == "send"), None)
