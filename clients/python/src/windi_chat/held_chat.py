"""The copy of a chat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from .storage import StoredChat

if TYPE_CHECKING:
    from .events import EventName
    from .wire import Chat, ChatNews, Member, Message, ReadReceipt, SyncCursor

MOST_MESSAGES = 100
"""So many of the newest messages are held."""


class ChatListener(Protocol):
    """What a chat tells of its changes."""

    def put(self, message: Message) -> None: ...

    def changed(self, chat: HeldChat) -> None: ...

    def happened(self, name: EventName, chat_id: int, key: str | None = None, payload: Any = None) -> None: ...

    def missing(self) -> None:
        """Something before what was heard is missing. A sync brings it."""


class HeldChat:
    """The messages `start` … `seq` of a chat as of `change_seq`, kept by the rules of docs/realtime.md."""

    def __init__(self, chat: Chat, seq: int, change_seq: int, user_id: int, listener: ChatListener) -> None:
        self.chat = chat
        self.seq = seq
        self.start = seq + 1
        self.change_seq = change_seq
        self.messages: dict[int, Message] = {}
        self.is_bare = False
        """It has just begun: its newest messages come with the next sync, which doesn't name it."""
        self._seqs: dict[str, int] = {}
        self._user_id = user_id
        self._listener = listener

    @property
    def cursor(self) -> SyncCursor:
        return {
            "seq": self.seq,
            "change_seq": self.change_seq,
            "last_read_seq": self.chat["last_read_seq"],
            "read_by_all_seq": self.chat["read_by_all_seq"],
        }

    @property
    def stored(self) -> StoredChat:
        return StoredChat(self.chat, self.start, self.seq, self.change_seq)

    def message(self, key: str) -> Message | None:
        seq = self._seqs.get(key)
        return None if seq is None else self.messages.get(seq)

    def load(self, messages: list[Message]) -> None:
        """Takes what was stored."""
        for message in messages:
            if message["seq"] <= self.seq:
                self._hold(message)
                self.start = min(self.start, message["seq"])

    def created(self, message: Message) -> None:
        """A message as an event or an ack has it."""
        if message["seq"] > self.seq + 1:
            self._listener.missing()
            return
        if message["seq"] == self.seq + 1:
            self._append(message)
            self._note_read(message["sender_id"], message["seq"], message["is_read"])
            if message["change_seq"] is not None:
                self._move_to(message["change_seq"])
        elif message["change_seq"] is not None:
            self._change(message)
        self._listener.changed(self)

    def updated(self, message: Message) -> None:
        """A message as it is after an edit or a deletion."""
        if message["seq"] > self.seq:
            self._listener.missing()
            return
        self._change(message)
        self._listener.changed(self)

    def take_change(self, event: str, change: dict[str, Any]) -> None:
        """A change of the chat or of its members. One below the cursor is older than what is held."""
        if change["change_seq"] < self.change_seq:
            return
        chat = self.chat.copy()
        if event == "chat:updated":
            chat["name"] = change["name"]
            chat["creator_id"] = change["creator_id"]
        if "member_count" in change:
            chat["member_count"] = change["member_count"]
        if "member" in change and event != "member:removed":
            self._take_member(chat, change["member"])
        self.chat = chat
        self._move_to(change["change_seq"])
        self._listener.changed(self)
        self._listener.happened("chat", chat["id"])

    def read(self, receipt: ReadReceipt) -> None:
        self._note_read(receipt["reader_id"], receipt["seq"], receipt["is_read"])
        self._listener.changed(self)
        self._listener.happened("read", self.chat["id"], payload=receipt)

    def take_news(self, news: ChatNews, *, is_fresh: bool) -> None:
        """Takes what a sync says; `is_fresh` when nothing of the chat is held, or what is held is to be dropped."""
        known, has_more = self.seq, news["has_more"]
        before = 0 if is_fresh else known
        if is_fresh:
            self.messages, self._seqs = {}, {}
        new = [message for message in news["messages"] if message["seq"] > before]
        changed = [message for message in news["messages"] if message["seq"] <= before]
        chat: Any = {name: value for name, value in news.items() if name not in _ONLY_IN_NEWS}
        self.chat = chat
        self.seq = before
        if is_fresh:
            self.seq = new[0]["seq"] - 1 if new else news["last_seq"]
            self.start = self.seq + 1
        for message in new:
            self._append(message, is_new=message["seq"] > known)
        for message in changed:
            self._change(message, is_news=True)
        if not has_more:
            self.seq, self.change_seq = news["last_seq"], news["last_change_seq"]
        elif changed and (last := changed[-1]["change_seq"]) is not None:
            self.change_seq = last
        self.is_bare = False
        self._listener.changed(self)
        self._listener.happened("chat", self.chat["id"])

    def _append(self, message: Message, *, is_new: bool = True) -> None:
        self.seq = message["seq"]
        self._hold(message)
        self.chat = {**self.chat, "last_seq": max(self.chat["last_seq"], self.seq)}
        if self.seq == self.chat["last_seq"]:
            self.chat["last_message"] = message
        while len(self.messages) > MOST_MESSAGES:
            oldest = self.messages.pop(self.start, None)
            self.start += 1
            if oldest:
                del self._seqs[oldest["client_message_id"]]
        if is_new and message["sender_id"] != self._user_id:
            self._listener.happened("message", message["chat_id"], message["client_message_id"])

    def _hold(self, message: Message) -> None:
        self.messages[message["seq"]] = message
        self._seqs[message["client_message_id"]] = message["seq"]
        self._listener.put(message)

    def _change(self, message: Message, *, is_news: bool = False) -> None:
        held = self.messages.get(message["seq"])
        change_seq = message["change_seq"] or 0
        if held is not None and change_seq > (held["change_seq"] or 0):
            self._hold(message)
            name: EventName = "edited" if message["deleted_at"] is None else "deleted"
            self._listener.happened(name, message["chat_id"], message["client_message_id"])
        last = self.chat["last_message"]
        if last and last["id"] == message["id"] and change_seq > (last["change_seq"] or 0):
            self.chat = {**self.chat, "last_message": message}
        if not is_news:
            self._move_to(change_seq)

    def _move_to(self, change_seq: int) -> None:
        if change_seq == self.change_seq + 1:
            self.change_seq = change_seq
        elif change_seq > self.change_seq + 1:
            self._listener.missing()

    def _note_read(self, user_id: int, seq: int, is_read: bool) -> None:
        chat = self.chat.copy()
        if user_id == self._user_id:
            chat["last_read_seq"] = max(chat["last_read_seq"], seq)
        if is_read:
            chat["read_by_all_seq"] = max(chat["read_by_all_seq"], seq)
        self.chat = chat

    def _take_member(self, chat: Chat, member: Member) -> None:
        if member["user_id"] == self._user_id:
            chat["my_role"] = member["role"]
        peer = chat["peer"]
        if peer and peer["id"] == member["user_id"]:
            chat["name"] = member["name"]
            chat["peer"] = {**peer, "name": member["name"]}


_ONLY_IN_NEWS = {"messages", "members", "left_user_ids", "has_more", "reset"}
