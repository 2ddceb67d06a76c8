"""The examples of README.md, as they stand there."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from windi_chat import Client

from .conftest import PASSWORD, ROOT, Server

if TYPE_CHECKING:
    from pathlib import Path

BOT, SCRIPT, REQUEST = re.findall(r"```python\n(.*?)```", (ROOT / "clients/python/README.md").read_text(), re.DOTALL)


def test_the_bot_answers(server: Server, tmp_path: Path) -> None:
    bot, friend = server.person("Bot", "bot@example.org"), server.person("Grace")
    chat_id = friend.call("POST", "/chats", {"type": "private", "user_id": bot.id})["id"]
    code = BOT.replace("http://localhost:8000", server.url)
    process = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path)

    async def converse() -> None:
        async with Client(server.url) as client:
            events = client.events()
            await client.login(friend.email, PASSWORD)
            await client.send(chat_id, "Hello!")
            async for event in events:
                if event.name == "message":
                    assert event.message
                    assert event.message.text == "You said: Hello!"
                    return

    try:
        asyncio.run(asyncio.wait_for(converse(), 60))
    finally:
        process.kill()
        process.wait()


def test_the_script_says_it(server: Server, tmp_path: Path) -> None:
    server.person("Script", "script@example.org")
    friend = server.person("Grace")
    body = SCRIPT.replace("open_private(2)", f"open_private({friend.id})")
    imports = "import asyncio\nfrom windi_chat import Client, FileStorage\n"
    lines = "".join(f"    {line}\n" for line in (body + REQUEST.replace("people", "    people")).splitlines())
    code = f"{imports}async def main(url):\n{lines}asyncio.run(main({server.url!r}))"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=60)
    [chat] = friend.call("GET", "/chats")
    assert chat["last_message"]["text"] == "The backup is done."
