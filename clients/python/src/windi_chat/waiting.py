"""Pauses between tries, and waiting for a change."""

from __future__ import annotations

import asyncio
import random

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0


class Backoff:
    """The pauses between tries: doubled each time up to 30 s.

    They are at random by half, so that clients don't come together.
    """

    def __init__(self) -> None:
        self._pause = FIRST_PAUSE_S

    def next(self, retry_after: float | None = None) -> float:
        """The next pause in seconds, which comes on top of what the server asks for."""
        pause = self._pause
        self._pause = min(2 * pause, LONGEST_PAUSE_S)
        return (retry_after or 0.0) + min(pause * (0.5 + random.random()), LONGEST_PAUSE_S)  # noqa: S311

    def reset(self) -> None:
        self._pause = FIRST_PAUSE_S


class Changes:
    """Counts the changes of what is shown, and lets others wait for the next one."""

    def __init__(self) -> None:
        self.version = 0
        self._next = asyncio.Event()

    def notify(self) -> None:
        self.version += 1
        self._next.set()
        self._next = asyncio.Event()

    async def after(self, version: int) -> int:
        """Waits until there is a higher version, and returns it."""
        while self.version <= version:
            await self._next.wait()
        return self.version
