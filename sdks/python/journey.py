"""The journey of docs/sdks.md with openapi-python-client."""

import os
from typing import Any, TypeVar
from uuid import uuid4

from windi import AuthenticatedClient, Client
from windi.api.auth import get_me, login, refresh, register
from windi.api.chats import create_chat, get_chat
from windi.api.groups import add_member, create_group, remove_member
from windi.api.messages import delete_message, edit_message, get_history, read_message, send_message, sync
from windi.api.users import search_users
from windi.models import (
    Account,
    CreateGroup,
    CreatePrivateChat,
    CreatePrivateChatType,
    EditMessage,
    Grant,
    Member,
    Message,
    NewGroup,
    News,
    Problem,
    ReadReceipt,
    Refresh,
    Register,
    SendMessage,
    SyncCursor,
    SyncRequest,
    SyncRequestCursors,
    Tokens,
)
from windi.types import Response

URL = os.environ["WINDI_URL"]
TOMORROW_URL = os.environ["WINDI_TOMORROW_URL"]
PASSWORD = "correct horse"
NOWHERE = 999_999_999

T = TypeVar("T")


def expect(kind: type[T], parsed: object) -> T:
    """The parsed answer, which must be of this kind."""
    assert isinstance(parsed, kind), parsed
    return parsed


def expect_error(response: Response[Any], status: int, code: str) -> None:
    """An answer that is refused with this status and code."""
    assert response.status_code == status, response
    assert expect(Problem, response.parsed).code == code, response.parsed


def done(step: str) -> None:
    """Tells the runner that a step is done."""
    print("ok", step, flush=True)


def main() -> None:
    public = Client(base_url=URL)
    email, friend_email = f"ada-{uuid4()}@example.org", f"grace-{uuid4()}@example.org"
    friend = Register(name="Grace Hopper", email=friend_email, password=PASSWORD)
    grace = expect(Account, register.sync(client=public, body=friend)).id
    body = Register(name="Ada Lovelace", email=email, password=PASSWORD)
    ada = expect(Account, register.sync(client=public, body=body)).id
    done("register")

    tokens = expect(Tokens, login.sync(client=public, body=Grant(username=email, password=PASSWORD)))
    client = AuthenticatedClient(base_url=URL, token=tokens.access_token)
    done("login")

    assert expect(Account, get_me.sync(client=client)).id == ada
    done("me")

    found = expect(list, search_users.sync(client=client, query=friend_email))
    assert [user.id for user in found] == [grace], found
    done("find a user")

    made = create_chat.sync(client=client, body=CreatePrivateChat(type_=CreatePrivateChatType.PRIVATE, user_id=grace))
    chat = expect(NewGroup, made)
    assert chat.last_message is None, chat
    done("private chat")

    sent = SendMessage(chat_id=chat.id, text="Привет!", client_message_id=str(uuid4()))
    first = send_message.sync_detailed(client=client, body=sent)
    assert first.status_code == 201, first
    message = expect(Message, first.parsed)
    done("send")

    again = send_message.sync_detailed(client=client, body=sent)
    assert again.status_code == 200, again
    assert again.headers["Idempotent-Replayed"] == "true", again
    assert expect(Message, again.parsed).id == message.id, again
    done("replay")

    other = SendMessage(chat_id=chat.id, text="Other", client_message_id=sent.client_message_id)
    expect_error(send_message.sync_detailed(client=client, body=other), 409, "client_message_id_conflict")
    done("conflict")

    history = get_history.sync_detailed(client=client, chat_id=chat.id)
    assert [item.text for item in expect(list, history.parsed)] == ["Привет!"], history
    assert history.headers["X-Total-Count"] == "1", history
    done("history")

    receipt = expect(ReadReceipt, read_message.sync(client=client, id=message.id))
    assert receipt.message_id == message.id, receipt
    done("read")

    group = expect(NewGroup, create_group.sync(client=client, body=CreateGroup(name="Engines"))).id
    done("group")

    member = expect(Member, add_member.sync(client=client, group_id=group, user_id=grace))
    assert member.role == "member", member
    done("add member")

    removed = remove_member.sync_detailed(client=client, group_id=group, user_id=grace)
    assert removed.status_code == 204, removed
    done("remove member")

    edited = expect(Message, edit_message.sync(client=client, id=message.id, body=EditMessage(text="Hello")))
    assert edited.text == "Hello" and edited.edited_at is not None, edited
    done("edit")

    deleted = expect(Message, delete_message.sync(client=client, id=message.id))
    assert deleted.text is None, deleted
    done("delete")

    cursors = SyncRequestCursors()
    cursors[str(chat.id)] = SyncCursor(seq=1, change_seq=0)
    news = expect(News, sync.sync(client=client, body=SyncRequest(cursors=cursors)))
    [changed] = [item for item in news.chats if item.id == chat.id]
    assert changed.messages[0].deleted_at is not None, changed
    done("sync")

    renewal = Refresh(refresh_token=tokens.refresh_token, client_refresh_id=str(uuid4()))
    renewed = expect(Tokens, refresh.sync(client=public, body=renewal))
    client = AuthenticatedClient(base_url=URL, token=renewed.access_token)
    done("refresh")

    expect_error(get_chat.sync_detailed(client=client, id=NOWHERE), 404, "chat_not_found")
    done("typed error")

    tomorrow = AuthenticatedClient(base_url=TOMORROW_URL, token=renewed.access_token)
    expect_error(get_chat.sync_detailed(client=tomorrow, id=NOWHERE), 404, "code_of_tomorrow")
    done("unknown code")

    assert expect(Account, get_me.sync(client=tomorrow)).id == ada
    done("unknown field")


main()
