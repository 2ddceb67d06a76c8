"""What happens, for programs that react to it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Callable

    from .message import Message

EventName = Literal["message", "edited", "deleted", "failed", "read", "chat", "removed", "typing", "signed_out"]


@dataclass(frozen=True)
class Event:
    """Something that has happened.

    - `message`: somebody else has written `message`, now or while this program was away; each comes once. Of a chat
      that is new here, those that the user hasn't read.
    - `edited`, `deleted`: of a message that is held.
    - `failed`: a message, or a change of one, is refused for good.
    - `read`: the `payload` is a `ReadReceipt`.
    - `chat`: the chat has come, or something of it has changed. `removed`: the user isn't in it any more.
    - `typing`: the `payload` says who, and whether.
    - `signed_out`: the session has ended. Log in again.
    """

    name: EventName
    chat_id: int = 0
    message: Message | None = None
    payload: Any = None


class Events:
    """The events from when it was made: `async for event in events`. Ends when the client is closed."""

    def __init__(self, on_end: Callable[[Events], None]) -> None:
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._on_end = on_end

    def put(self, event: Event | None) -> None:
        """Hands an event out; None is the end."""
        self._queue.put_nowait(event)

    def close(self) -> None:
        self._on_end(self)
        self.put(None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        event = await self._queue.get()
        if event is None:
            raise StopAsyncIteration
        return event
