"""The commands that wait to be carried out."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from .errors import ChatError
from .storage import Entry, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .journal import Journal
    from .wire import Message

MOST_CODE_POINTS = 4_096
WHITE_SPACE = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What the server takes for that; `strip` has another idea."""


def check_text(text: str) -> None:
    """Checks the text of a message as the server does. Raises `validation_failed`."""
    if not text.strip(WHITE_SPACE):
        raise ChatError("validation_failed", "A text must not be blank.")
    if len(text) > MOST_CODE_POINTS:
        raise ChatError("validation_failed", f"A text has up to {MOST_CODE_POINTS} code points.")
    if re.search("[\0\ud800-\udfff]", text):
        raise ChatError("validation_failed", "A text must not hold U+0000 or half a surrogate pair.")


class Outbox:
    """Each command is stored before its first try. `OutboxSender` sends them."""

    def __init__(self, journal: Journal, on_change: Callable[[], None]) -> None:
        self.entries: list[Entry] = []
        """In the order in which they are sent."""
        self._journal = journal
        self._on_change = on_change
        self._last = 0
        self._untried: set[int] = set()
        """The positions of the sends that nobody else has seen."""
        self._acked: dict[int, tuple[int, int]] = {}
        """The chat and the `seq` of messages that the server has and the store hasn't yet, by position."""

    def load(self, entries: list[Entry]) -> None:
        self.entries = entries
        self._last = max((entry.position for entry in entries), default=0)

    def send(self, chat_id: int, text: str, reply_to_id: int | None) -> str:
        """Puts a message into the outbox. Returns its key when it is stored."""
        check_text(text)
        key = str(uuid4())
        self._untried.add(self._add(chat_id, "send", key, text=text, reply_to_id=reply_to_id).position)
        return key

    def edit(self, chat_id: int, key: str, text: str, stored: Message | None) -> None:
        """Puts an edit into the outbox, in place of earlier ones. What was never tried is changed itself."""
        check_text(text)
        unsent = self.send_of(chat_id, key)
        if unsent and unsent.position in self._untried:
            self._store(replace(unsent, text=text))
        else:
            self._add(chat_id, "edit", key, self.changes_of(chat_id, key), text=text, message_id=_id_of(stored))

    def remove(self, chat_id: int, key: str, stored: Message | None) -> None:
        """Puts a deletion into the outbox, in place of edits. What was never tried is dropped."""
        unsent = self.send_of(chat_id, key)
        if unsent and (unsent.position in self._untried or unsent.error):
            self._discard(self.of(chat_id, key))
        else:
            self._add(chat_id, "delete", key, self.changes_of(chat_id, key), message_id=_id_of(stored))

    def read(self, message: Message) -> None:
        """Puts a read into the outbox, in place of those of earlier messages."""
        chat_id, key = message["chat_id"], message["client_message_id"]
        earlier = [entry for entry in self.entries if entry.chat_id == chat_id and entry.kind == "read"]
        if all(entry.seq < message["seq"] for entry in earlier):
            self._add(chat_id, "read", key, earlier, seq=message["seq"], message_id=message["id"])

    def retry(self, chat_id: int, key: str) -> None:
        """Tries again what has failed, after all that waits in the chat."""
        for entry in [entry for entry in self.of(chat_id, key) if entry.error]:
            self._last += 1
            self._store(replace(entry, position=self._last, cuts=0, error=None), [entry])

    def drop(self, chat_id: int, key: str) -> None:
        """Gives up what has failed."""
        send = self.send_of(chat_id, key)
        entries = self.of(chat_id, key)
        self._discard(entries if send and send.error else [entry for entry in entries if entry.error])

    def of(self, chat_id: int, key: str) -> list[Entry]:
        """What waits for a message, or has failed: its send, edits and deletions."""
        return [one for one in self.entries if one.key == key and one.chat_id == chat_id and one.kind != "read"]

    def send_of(self, chat_id: int, key: str) -> Entry | None:
        return next((entry for entry in self.of(chat_id, key) if entry.kind == "send"), None)

    def changes_of(self, chat_id: int, key: str) -> list[Entry]:
        return [entry for entry in self.of(chat_id, key) if entry.kind != "send"]

    def read_in(self, chat_id: int) -> int:
        """How far the user has read in a chat, as far as the server doesn't know it yet."""
        return max((one.seq for one in self.entries if one.kind == "read" and one.chat_id == chat_id), default=0)

    def waiting(self) -> list[Entry]:
        """The commands of which none is carried out or refused."""
        return [entry for entry in self.entries if entry.error is None and entry.position not in self._acked]

    def tried(self, entry: Entry) -> None:
        """The command is about to be sent."""
        self._untried.discard(entry.position)

    def current(self, entry: Entry) -> Entry | None:
        """The command as it is now; None when it isn't in the outbox any more."""
        return next((one for one in self.entries if one.position == entry.position), None)

    def update(self, entry: Entry, **state: Any) -> None:
        """The command has another state."""
        current = self.current(entry)
        if current:
            self._put(replace(current, **state))
            self._journal.put_entry(replace(current, **state))
            self._on_change()

    def done(self, entry: Entry) -> None:
        """The command is carried out."""
        self._forget([entry])
        self._journal.remove_entry(entry.position)
        self._on_change()

    def acked(self, entry: Entry, message: Message) -> None:
        """The server has the message. It leaves the outbox when the store has it, too."""
        self._give_id(message)
        if self.current(entry):
            self._acked[entry.position] = (message["chat_id"], message["seq"])

    def stored(self, message: Message) -> None:
        """The store has this message."""
        self._give_id(message)
        entry = self.send_of(message["chat_id"], message["client_message_id"])
        if entry:
            self.done(entry)

    def settle(self, seq_of: Callable[[int], int | None]) -> None:
        """Removes what is acked, and in the store up to the `seq` of its chat, or of a chat that is gone (None)."""
        for entry in list(self.entries):
            if entry.position in self._acked:
                chat_id, seq = self._acked[entry.position]
                held = seq_of(chat_id)
                if held is None or held >= seq:
                    self.done(entry)

    def _give_id(self, message: Message) -> None:
        """The changes of a message that was being sent have waited for its id."""
        for entry in self.changes_of(message["chat_id"], message["client_message_id"]):
            if entry.message_id is None:
                self.update(entry, message_id=message["id"])

    def _add(self, chat_id: int, kind: Kind, key: str, replaced: Sequence[Entry] = (), **parts: Any) -> Entry:
        self._last += 1
        created_at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        entry = Entry(self._last, chat_id, kind, key, created_at, **parts)
        self._store(entry, replaced)
        return entry

    def _store(self, entry: Entry, replaced: Sequence[Entry] = ()) -> None:
        try:
            self._journal.add_now(entry, [one.position for one in replaced])
        except sqlite3.Error as error:
            raise ChatError("storage_full", "There is no space to keep this until it is sent.") from error
        self._forget(replaced)
        self._put(entry)
        self._on_change()

    def _discard(self, entries: Sequence[Entry]) -> None:
        self._forget(entries)
        for entry in entries:
            self._journal.remove_entry(entry.position)
        self._journal.flush()
        self._on_change()

    def _put(self, entry: Entry) -> None:
        others = [one for one in self.entries if one.position != entry.position]
        self.entries = sorted([*others, entry], key=lambda one: one.position)

    def _forget(self, entries: Sequence[Entry]) -> None:
        gone = {entry.position for entry in entries}
        self.entries = [one for one in self.entries if one.position not in gone]
        self._untried -= gone
        for position in gone:
            self._acked.pop(position, None)


def _id_of(message: Message | None) -> int | None:
    return message["id"] if message else None
