"""What every call of this package raises."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .wire import CommandError, FieldError, Problem


class ChatError(Exception):
    """A refusal. Switch on `code`: one of the server's, or one of this client's.

    Those are `no_answer` (none came, or not in time), `connection_cut` (each of five tries ended the connection),
    `signed_out`, `storage_full`, `other_account`, `dropped`.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retryable: bool = False,
        retry_after: float | None = None,
        errors: Sequence[FieldError] = (),
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.retryable = retryable
        """Whether the same call may succeed later."""
        self.retry_after = retry_after
        """When it may be tried again, in seconds from the refusal."""
        self.errors = tuple(errors)
        """Of `validation_failed`: what is wrong with which field."""


class ConnectionCutError(ChatError):
    """The connection has ended before the answer came."""

    def __init__(self) -> None:
        super().__init__("no_answer", "The connection was cut.", retryable=True)


def no_answer() -> ChatError:
    return ChatError("no_answer", "The server did not answer.", retryable=True)


def signed_out() -> ChatError:
    return ChatError("signed_out", "Nobody is signed in.")


def refused(error: CommandError) -> ChatError:
    """The refusal of a command, or of a connection."""
    milliseconds = error.get("retry_after_ms")
    return ChatError(
        error["code"],
        error["message"],
        retryable=error["retryable"],
        retry_after=None if milliseconds is None else milliseconds / 1_000,
        errors=error.get("errors", ()),
    )


def problem(answer: Problem, retry_after: str | None) -> ChatError:
    """The refusal of a request. `retry_after` is the header."""
    return ChatError(
        answer["code"],
        answer["detail"],
        retryable=answer["status"] in (429, 503),
        retry_after=None if retry_after is None else float(retry_after),
        errors=answer.get("errors", ()),
    )
