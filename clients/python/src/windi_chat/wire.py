"""The objects of the wire, with the names of `openapi.json` and `asyncapi.json`. A test compares them with both."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

ChatType = Literal["private", "group"]
Role = Literal["owner", "admin", "member"]


class User(TypedDict):
    id: int
    name: str
    created_at: str


class Account(User):
    email: str
    addable_by: Literal["everybody", "correspondents"]


class Tokens(TypedDict):
    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str


class Message(TypedDict):
    id: int
    chat_id: int
    sender_id: int
    text: str | None
    timestamp: str
    is_read: bool
    client_message_id: str
    seq: int
    change_seq: int | None
    reply_to_id: int | None
    edited_at: str | None
    deleted_at: str | None


class ReadReceipt(TypedDict):
    type: str
    message_id: int
    chat_id: int
    reader_id: int
    is_read: bool
    seq: int


class Member(TypedDict):
    user_id: int
    name: str
    role: Role
    joined_at: str
    last_read_seq: int


class Chat(TypedDict):
    id: int
    type: ChatType
    name: str
    peer: User | None
    creator_id: int
    created_at: str
    member_count: int
    my_role: Role
    last_seq: int
    last_change_seq: int
    last_read_seq: int
    read_by_all_seq: int
    unread_count: int
    last_message: Message | None
    activity_cursor: str


class ChatNews(Chat):
    messages: list[Message]
    members: list[Member] | None
    left_user_ids: list[int]
    has_more: bool
    reset: bool


class News(TypedDict):
    chats: list[ChatNews]
    removed_chat_ids: list[int]
    next_chat_id: int | None


class SyncCursor(TypedDict):
    seq: int
    change_seq: int
    last_read_seq: NotRequired[int]
    read_by_all_seq: NotRequired[int]


class SyncRequest(TypedDict):
    cursors: dict[str, SyncCursor]
    after_chat_id: NotRequired[int]
    limit: NotRequired[int]


class FieldError(TypedDict):
    field: str
    message: str


class CommandError(TypedDict):
    code: str
    message: str
    retryable: bool
    retry_after_ms: NotRequired[int]
    errors: NotRequired[list[FieldError]]


class Problem(TypedDict):
    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: NotRequired[list[FieldError]]
