"""The socket of a user."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal, Protocol

import socketio

from .errors import ChatError, ConnectionCutError, no_answer, refused
from .waiting import Backoff

if TYPE_CHECKING:
    from .storage import KeptSession
    from .tokens import Tokens

ConnectionStatus = Literal["offline", "connecting", "connected", "waiting"]

ANSWER_WITHIN_S = 10.0
LEAVE_WITHIN_S = 2.0


class ConnectionListener(Protocol):
    """What the connection tells of."""

    def connected(self) -> None: ...

    def disconnected(self) -> None: ...

    def heard(self, name: str, payload: Any) -> None: ...

    def changed(self) -> None: ...


class Connection:
    """Connects again by itself, brings a good token each time, and renews it before it runs out."""

    def __init__(self, url: str, tokens: Tokens, listener: ConnectionListener) -> None:
        self.status: ConnectionStatus = "offline"
        self._url = url
        self._tokens = tokens
        self._listener = listener
        self._backoff = Backoff()
        self._task: asyncio.Task[None] | None = None
        self._socket: Any = None
        self._ended = asyncio.Event()
        self._token_is_bad = asyncio.Event()
        self._unanswered: set[asyncio.Future[Any]] = set()
        self._refusal: Any = None
        self._drain: float | None = None
        """How long a server that stops has asked to wait, in seconds."""
        self._is_leaving = False

    def start(self) -> None:
        """Connects, and goes on until `close`, or until nobody is signed in."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def reconnect(self) -> None:
        """Cuts a connection from which no answer comes, and opens another one."""
        self._is_leaving = True
        self._ended.set()

    async def close(self) -> None:
        self._is_leaving = True
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._set("offline")

    async def request(self, command: str, payload: Any) -> Any:
        """Sends a command once, and returns the data of its ack.

        Raises a `ChatError`: the refusal, `no_answer`, or as a `ConnectionCutError` that the connection has ended.
        """
        socket = self._socket
        if socket is None:
            raise no_answer()
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._unanswered.add(answer)

        def answered(ack: Any) -> None:
            if not answer.done():
                answer.set_result(ack)

        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await socket.emit(command, payload, callback=answered)
                ack = await answer
        except (TimeoutError, socketio.exceptions.SocketIOError) as error:
            raise no_answer() from error
        finally:
            self._unanswered.discard(answer)
        if not ack["ok"]:
            raise refused(ack["error"])
        return ack["data"]

    async def _run(self) -> None:
        while True:
            try:
                session = await self._tokens.get()
                self._set("connecting")
                pause = await self._live(session)
            except ChatError as error:
                if error.code == "signed_out":
                    return self._set("offline")
                pause = self._backoff.next(error.retry_after)
            self._set("waiting")
            await asyncio.sleep(pause)

    async def _live(self, session: KeptSession) -> float:
        """One connection, until it has ended. Returns how many seconds to wait before the next one."""
        self._refusal, self._drain, self._is_leaving = None, None, False
        self._ended.clear()
        self._token_is_bad.clear()
        # It stays away when it was refused, and by its own pauses it wouldn't heed those of the server.
        socket = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        socket.on("*", self._heard)
        socket.on("connect_error", self._refused)
        socket.on("disconnect", lambda *_: self._ended.set())
        try:
            if not await self._open(socket, session):
                return await self._pause_after_refusal(session)
            return await self._stay(socket, session)
        finally:
            await self._leave(socket)

    async def _open(self, socket: Any, session: KeptSession) -> bool:
        auth = {"token": session.access_token}
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                # With WebSockets, several nodes behind a proxy need no sticky sessions.
                await socket.connect(self._url, auth=auth, transports=["websocket"], wait_timeout=ANSWER_WITHIN_S)
        except (socketio.exceptions.SocketIOError, OSError, TimeoutError):
            return False
        # A connection that has ended before `connect` was done has called no handler.
        return bool(socket.eio.state == "connected")

    @staticmethod
    async def _leave(socket: Any) -> None:
        """A connection that has gone silent can't be left in peace."""
        try:
            async with asyncio.timeout(LEAVE_WITHIN_S):
                await socket.disconnect()
        except TimeoutError:
            pass

    async def _stay(self, socket: Any, session: KeptSession) -> float:
        self._socket = socket
        self._backoff.reset()
        self._set("connected")
        renewal = asyncio.create_task(self._renew_in_time(session))
        self._listener.connected()
        try:
            await self._ended.wait()
        finally:
            renewal.cancel()
            self._socket = None
            self._set("waiting")
            self._listener.disconnected()
            self._end_unanswered()
        return self._backoff.next() if self._drain is None else self._drain

    async def _pause_after_refusal(self, session: KeptSession) -> float:
        """A refusal has an error; without one, the server wasn't reached or has refused the handshake."""
        data = self._refusal.get("data") if isinstance(self._refusal, dict) else None
        error = data if isinstance(data, dict) else {}
        if error.get("code") in ("unauthorized", "token_expired"):
            # A session that has ended is forgotten here; otherwise there is a new token for the next try.
            await self._tokens.renew(session)
        retry_after_ms = error.get("retry_after_ms")
        return self._backoff.next(retry_after_ms / 1_000 if retry_after_ms else None)

    async def _renew_in_time(self, session: KeptSession) -> None:
        """Brings a new token before the old one runs out, or when the server says that it has."""
        backoff = Backoff()
        while True:
            try:
                async with asyncio.timeout(max(0.0, self._tokens.lifetime(session))):
                    await self._token_is_bad.wait()
            except TimeoutError:
                pass
            self._token_is_bad.clear()
            try:
                session = await self._tokens.renew(session)
                await self.request("auth:refresh", {"token": session.access_token})
                backoff.reset()
            except ChatError as error:
                if error.code == "signed_out":
                    return self.reconnect()
                # Without a new token the server cuts the socket in the end.
                await asyncio.sleep(backoff.next(error.retry_after))
                self._token_is_bad.set()

    def _heard(self, name: str, payload: Any = None) -> None:
        if name == "server:draining":
            self._drain = payload["reconnect_in_ms"] / 1_000
        elif name in ("auth:expired", "session:revoked"):
            self._token_is_bad.set()
        else:
            self._listener.heard(name, payload)

    def _refused(self, refusal: Any = None) -> None:
        self._refusal = refusal

    def _end_unanswered(self) -> None:
        was_cut = self._drain is None and not self._is_leaving
        for answer in self._unanswered:
            if not answer.done():
                answer.set_exception(ConnectionCutError() if was_cut else no_answer())

    def _set(self, status: ConnectionStatus) -> None:
        self.status = status
        self._listener.changed()
