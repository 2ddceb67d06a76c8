"""The chats and messages of a user as this client knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from .held_chat import ChatListener, HeldChat

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .storage import StoredChat
    from .wire import Chat, ChatNews, Message, News, SyncCursor, SyncRequest

CHATS_OF_A_CALL = 500
"""More cursors don't fit into a frame of the socket."""


class StoreListener(ChatListener, Protocol):
    """What the store tells of its changes."""

    def dropped(self, chat_id: int) -> None: ...


class Store:
    """Kept up to date by events, acks and syncs, as docs/realtime.md describes under "From any gap to the present"."""

    def __init__(self, user_id: int, listener: StoreListener) -> None:
        self.chats: dict[int, HeldChat] = {}
        self._user_id = user_id
        self._listener = listener
        self._aside: list[tuple[str, Any]] | None = None

    def load(self, chats: list[StoredChat], messages: list[Message]) -> None:
        """Takes what was stored."""
        for stored in chats:
            held = self._hold(stored.chat, stored.seq, stored.change_seq)
            held.load([one for one in messages if one["chat_id"] == stored.chat["id"] and one["seq"] >= stored.start])

    def message(self, chat_id: int, key: str) -> Message | None:
        held = self.chats.get(chat_id)
        return held.message(key) if held else None

    def apply(self, name: str, payload: Any) -> None:
        """Takes an event, or with its name the message of an ack: after the answer of a call of `sync` under way."""
        if self._aside is None:
            self._take(name, payload)
        else:
            self._aside.append((name, payload))

    async def catch_up(self, ask: Callable[[SyncRequest], Awaitable[News]]) -> None:
        """Calls `sync` until nothing is left. Only one `catch_up` may run at a time."""
        bare = [held for held in self.chats.values() if held.is_bare]
        after: int | None = 0
        while after is not None:
            after = await self._take_page(ask, after)
        for held in bare:
            # It wasn't named, and didn't come: the user isn't in it any more.
            if held.is_bare and self.chats.get(held.chat["id"]) is held:
                self._drop(held.chat["id"])

    async def _take_page(self, ask: Callable[[SyncRequest], Awaitable[News]], after: int) -> int | None:
        above = sorted(chat_id for chat_id, held in self.chats.items() if chat_id > after and not held.is_bare)
        named = above[:CHATS_OF_A_CALL]
        # The answer treats chats above the last named one as new. They are for the next call, which names them.
        last = named[-1] if len(named) < len(above) else None
        self._aside = []
        try:
            news = await ask({"cursors": self._cursors(named), "after_chat_id": after})
            for chat_id in news["removed_chat_ids"]:
                self._drop(chat_id)
            for chat in news["chats"]:
                if last is None or chat["id"] <= last:
                    self._take_news(chat)
            left = [chat_id for chat_id in (news["next_chat_id"], last) if chat_id is not None]
            return min(left) if left else None
        finally:
            aside, self._aside = self._aside, None
            for name, payload in aside:
                self._take(name, payload)

    def _cursors(self, chat_ids: list[int]) -> dict[str, SyncCursor]:
        return {str(chat_id): self.chats[chat_id].cursor for chat_id in chat_ids}

    def _take_news(self, news: ChatNews) -> None:
        held = self.chats.get(news["id"])
        is_fresh = held is None or held.is_bare or news["reset"]
        if news["reset"]:
            self._listener.dropped(news["id"])
        if held is None:
            chat: Any = news
            # What the user hasn't read yet is new.
            held = self._hold(chat, news["last_read_seq"], 0)
        held.take_news(news, is_fresh=is_fresh)

    def _hold(self, chat: Chat, seq: int, change_seq: int) -> HeldChat:
        held = HeldChat(chat, seq, change_seq, self._user_id, self._listener)
        self.chats[chat["id"]] = held
        return held

    def _drop(self, chat_id: int) -> None:
        if self.chats.pop(chat_id, None):
            self._listener.dropped(chat_id)
            self._listener.happened("removed", chat_id)

    def _take(self, name: str, payload: Any) -> None:
        if name == "chat:created":
            self._start(payload)
            return
        if name == "chat:removed":
            self._drop(payload["chat_id"])
            return
        held = self.chats.get(payload["id"] if name == "chat:updated" else payload["chat_id"])
        if held is None:
            if name == "message:created":
                self._listener.missing()
        elif name == "message:created":
            held.created(payload)
        elif name in ("message:updated", "message:deleted"):
            held.updated(payload)
        elif name == "read_receipt":
            held.read(payload)
        elif name in ("chat:updated", "member:added", "member:updated", "member:removed"):
            held.take_change(name, payload)

    def _start(self, chat: Chat) -> None:
        """The user is in this chat now. Its newest messages come with the next sync."""
        held = self.chats.get(chat["id"])
        if held and held.seq >= chat["last_seq"] and held.change_seq >= chat["last_change_seq"]:
            return
        held = held or self._hold(chat, chat["last_seq"], chat["last_change_seq"])
        held.is_bare = True
        self._listener.missing()
        self._listener.happened("chat", chat["id"])
