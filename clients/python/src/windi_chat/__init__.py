"""The client of WinDI Chat for Python: an outbox that loses nothing, sync, and events, on asyncio."""

from .client import Client, ClientStatus
from .errors import ChatError
from .events import Event, Events
from .message import Message, MessageStatus, PendingChange
from .storage import FileStorage, MemoryStorage, Storage

__all__ = [
    "ChatError",
    "Client",
    "ClientStatus",
    "Event",
    "Events",
    "FileStorage",
    "MemoryStorage",
    "Message",
    "MessageStatus",
    "PendingChange",
    "Storage",
]
