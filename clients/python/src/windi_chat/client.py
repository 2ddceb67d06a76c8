"""The client."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from .connection import ConnectionStatus  # noqa: TC001
from .errors import ChatError, signed_out
from .events import Event, Events
from .rest import Rest
from .scope import Scope
from .storage import MemoryStorage
from .tokens import Tokens
from .waiting import Changes

if TYPE_CHECKING:
    from types import TracebackType

    from . import wire
    from .message import Message
    from .storage import Storage


@dataclass(frozen=True)
class ClientStatus:
    """How the client is. `is_synced`: what it shows is the state of the server."""

    connection: ConnectionStatus
    is_synced: bool


class Client:
    """A client of one server, for one person: `async with Client(url, storage=FileStorage("bot.db")) as client`.

    Whoever was signed in still is. All calls raise a `ChatError`.
    """

    def __init__(self, url: str, *, storage: Storage | None = None) -> None:
        self.changes = Changes()
        """Counts the changes of what the client shows: `await client.changes.after(version)`."""
        self._url = url.rstrip("/")
        self._storage = storage or MemoryStorage()
        self._rest = Rest(self._url)
        self._tokens = Tokens(self._storage, self._rest, self._on_signed_out)
        self._streams: list[Events] = []
        self._scope: Scope | None = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Takes up what the storage holds, and connects."""
        self._storage.open()
        self._tokens.load()
        if owner := self._storage.owner():
            self._scope = self._make_scope(owner)
            self._scope.connection.start()

    async def close(self) -> None:
        """Leaves nothing behind that runs. What is stored stays."""
        if self._scope:
            await self._scope.close()
            self._scope = None
        for stream in list(self._streams):
            stream.close()
        await self._rest.close()
        self._storage.close()

    # The session.

    @property
    def account(self) -> wire.Account | None:
        """Who is signed in; None when nobody is, or no longer."""
        session = self._tokens.session
        return session.account if session else None

    @property
    def status(self) -> ClientStatus:
        if self._scope is None:
            return ClientStatus("offline", is_synced=False)
        return ClientStatus(self._scope.connection.status, self._scope.sync.is_synced)

    async def register(self, name: str, email: str, password: str) -> wire.Account:
        """Makes an account, and signs in. Raises `email_taken`, `validation_failed`."""
        await self._rest.call("POST", "/auth/register", body={"name": name, "email": email, "password": password})
        return await self.login(email, password)

    async def login(self, email: str, password: str) -> wire.Account:
        """Raises `invalid_credentials`, `rate_limited`, or `other_account`: the storage is that of another person."""
        form = {"username": email, "password": password}
        pair: wire.Tokens = await self._rest.call("POST", "/auth/login", form=form)
        account: wire.Account = await self._rest.call("GET", "/auth/me", token=pair["access_token"])
        if not self._storage.claim(account["id"]):
            raise ChatError("other_account", "The storage is that of another person, until that one logs out.")
        self._tokens.keep(self._tokens.session_of(account, pair))
        self._scope = self._scope or self._make_scope(account["id"])
        await self._scope.connection.close()
        self._scope.connection.start()
        return account

    async def logout(self) -> None:
        """Ends the session, and deletes what is stored, the outbox too."""
        # Without an answer the session is forgotten all the same. Another device shows it, and can end it.
        with suppress(ChatError):
            await self.request("POST", "/auth/logout")
        if self._scope:
            await self._scope.close()
            self._scope = None
        self._tokens.keep(None)
        self._storage.clear()
        self.changes.notify()

    async def request(
        self, method: str, path: str, *, body: Any = None, query: dict[str, str | int] | None = None
    ) -> Any:
        """Any call of the REST API, as the person who is signed in. Returns the parsed answer."""
        session = await self._tokens.get()
        try:
            return await self._rest.call(method, path, token=session.access_token, body=body, query=query)
        except ChatError as error:
            if error.code not in ("token_expired", "unauthorized"):
                raise
            session = await self._tokens.renew(session)
            return await self._rest.call(method, path, token=session.access_token, body=body, query=query)

    # What is there.

    def events(self) -> Events:
        """What happens from now on. Call it before the first `await`, so that nothing is missed."""
        stream = Events(self._streams.remove)
        self._streams.append(stream)
        return stream

    async def synced(self) -> None:
        """Waits until what the client shows is the state of the server. Raises `signed_out`."""
        while not self.status.is_synced:
            if self.account is None:
                raise signed_out()
            await self.changes.after(self.changes.version)

    @property
    def chats(self) -> list[wire.Chat]:
        """The chats, the one with the latest message first."""
        ids = list(self._scope.store.chats) if self._scope else []
        chats = [chat for chat_id in ids if (chat := self.chat(chat_id))]
        return sorted(chats, key=_activity, reverse=True)

    def chat(self, chat_id: int) -> wire.Chat | None:
        """None while the person isn't in this chat, as far as this client knows."""
        held = self._scope.store.chats.get(chat_id) if self._scope else None
        if held is None or self._scope is None:
            return None
        last_read_seq = max(held.chat["last_read_seq"], self._scope.outbox.read_in(chat_id))
        unread = max(0, held.chat["last_seq"] - last_read_seq)
        return {**held.chat, "last_read_seq": last_read_seq, "unread_count": unread}

    def messages(self, chat_id: int) -> list[Message]:
        """The newest messages of a chat, up to 100, the oldest first, then those that wait in the outbox."""
        scope = self._open
        held = scope.store.chats.get(chat_id)
        keys = [message["client_message_id"] for message in held.messages.values()] if held else []
        unsent = [entry.key for entry in scope.outbox.entries if entry.kind == "send" and entry.chat_id == chat_id]
        return [scope.message(chat_id, key) for key in dict.fromkeys([*keys, *unsent])]

    async def history(self, chat_id: int, *, before_seq: int, limit: int = 50) -> list[wire.Message]:
        """A page of older messages, from the server. Raises `chat_not_found`."""
        query: dict[str, str | int] = {"before_seq": before_seq, "limit": limit}
        page: list[wire.Message] = await self.request("GET", f"/messages/history/{chat_id}", query=query)
        return page

    async def open_private(self, user_id: int) -> int:
        """The id of the private chat with this person, new or old. Raises `user_not_found`, `blocked`."""
        chat: wire.Chat = await self.request("POST", "/chats", body={"type": "private", "user_id": user_id})
        return chat["id"]

    # What is done. Each resolves when it is stored here; the rest happens by itself.

    async def send(self, chat_id: int, text: str, *, reply_to: Message | None = None) -> Message:
        """Raises `validation_failed` or `storage_full`: then nothing was kept."""
        key = self._open.outbox.send(chat_id, text, reply_to.id if reply_to else None)
        return self._open.message(chat_id, key)

    async def edit(self, message: Message, text: str) -> None:
        """Edits one's own message, sent or not. Raises as `send` does."""
        self._open.outbox.edit(message.chat_id, message.key, text, self._stored(message))

    async def remove(self, message: Message) -> None:
        """Deletes a message, sent or not. Raises as `send` does."""
        self._open.outbox.remove(message.chat_id, message.key, self._stored(message))

    async def read(self, message: Message) -> None:
        """Says that all up to this message are read. Raises as `send` does."""
        stored, chat = self._stored(message), self.chat(message.chat_id)
        if stored and chat and stored["seq"] > chat["last_read_seq"]:
            self._open.outbox.read(stored)

    async def retry(self, message: Message) -> None:
        """Tries a message, an edit or a deletion again that has failed. Raises as `send` does."""
        self._open.outbox.retry(message.chat_id, message.key)

    async def drop(self, message: Message) -> None:
        """Gives up a message, an edit or a deletion that has failed."""
        self._open.outbox.drop(message.chat_id, message.key)

    async def typing(self, chat_id: int, is_typing: bool) -> None:
        """Tells the others that one types, or has stopped. Without a connection nothing is told."""
        # Nobody needs to know it later.
        with suppress(ChatError):
            await self._open.connection.request("typing", {"chat_id": chat_id, "is_typing": is_typing})

    @property
    def _open(self) -> Scope:
        if self._scope is None:
            raise signed_out()
        return self._scope

    def _stored(self, message: Message) -> wire.Message | None:
        return self._open.store.message(message.chat_id, message.key)

    def _make_scope(self, user_id: int) -> Scope:
        return Scope(self._url, user_id, self._storage, self._tokens, self.changes, self._emit)

    def _emit(self, event: Event) -> None:
        for stream in self._streams:
            stream.put(event)

    def _on_signed_out(self) -> None:
        self._emit(Event("signed_out"))
        self.changes.notify()


def _activity(chat: wire.Chat) -> tuple[str, int]:
    last = chat["last_message"]
    return (last["timestamp"] if last else chat["created_at"], chat["id"])
