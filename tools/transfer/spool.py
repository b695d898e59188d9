"""The spool: what a file holds, on disk and in order, for its lines come in any order and may outgrow the memory."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from shared.records import Message, MessageData, Thread
from tools.transfer.lines import RefusedError

_TABLES = """
    PRAGMA journal_mode = MEMORY;
    PRAGMA synchronous = OFF;
    CREATE TABLE threads (id TEXT PRIMARY KEY, line INTEGER, created_at INTEGER, metadata TEXT, tool_resources TEXT);
    CREATE TABLE messages (thread TEXT, id TEXT, line INTEGER, created_at INTEGER, draft TEXT, UNIQUE (thread, id));
    CREATE INDEX in_order ON messages (thread, created_at, line);
"""


class Spool:
    """The threads and messages of one file, each with the number of its line."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, line: int, found: Thread | Message) -> None:
        """Keep a thread or message. Raises `RefusedError` for an id that was there before."""
        try:
            if isinstance(found, Thread):
                self._connection.execute("INSERT INTO threads VALUES (?, ?, ?, ?, ?)", (found.id, line, *found[1:]))
            else:
                row = (found.thread_id, found.id, line, found.created_at, json.dumps(found.data))
                self._connection.execute("INSERT INTO messages VALUES (?, ?, ?, ?, ?)", row)
        except sqlite3.IntegrityError:
            raise RefusedError(f"{found.id} is on line {self._line_of(found)} already") from None

    def counts(self) -> tuple[int, int]:
        """Return the numbers of threads and of messages."""
        ((threads, messages),) = self._connection.execute(
            "SELECT (SELECT count(*) FROM threads), (SELECT count(*) FROM messages)"
        )
        return threads, messages

    def orphans(self) -> Iterator[tuple[int, str]]:
        """Yield line and thread of each message whose thread the file does not have, and forget these messages."""
        missing = "FROM messages WHERE thread NOT IN (SELECT id FROM threads)"
        yield from self._connection.execute(f"SELECT line, thread {missing} ORDER BY line")
        self._connection.execute(f"DELETE {missing}")

    def threads(self) -> Iterator[tuple[int, Thread]]:
        """Yield the threads, in the order of their lines, which come with them."""
        for own_id, line, *rest in self._connection.execute("SELECT * FROM threads ORDER BY line"):
            yield line, Thread(own_id, *rest)

    def messages(self, thread_id: str) -> Iterator[Message]:
        """Yield the messages of a thread in the order of their times, and then of their lines."""
        query = "SELECT id, created_at, draft FROM messages WHERE thread = ? ORDER BY created_at, line"
        for own_id, created_at, data in self._connection.execute(query, (thread_id,)):
            yield Message(own_id, thread_id, created_at, MessageData(*json.loads(data)))

    def count(self, thread_id: str) -> int:
        """Return the number of messages of a thread."""
        ((found,),) = self._connection.execute("SELECT count(*) FROM messages WHERE thread = ?", (thread_id,))
        return int(found)

    def has(self, thread_id: str, message_id: str) -> bool:
        """Tell whether a thread has a message."""
        query = "SELECT 1 FROM messages WHERE thread = ? AND id = ?"
        return self._connection.execute(query, (thread_id, message_id)).fetchone() is not None

    def _line_of(self, found: Thread | Message) -> int:
        if isinstance(found, Thread):
            rows = self._connection.execute("SELECT line FROM threads WHERE id = ?", (found.id,))
        else:
            query = "SELECT line FROM messages WHERE thread = ? AND id = ?"
            rows = self._connection.execute(query, (found.thread_id, found.id))
        return int(rows.fetchone()[0])


@contextmanager
def opened() -> Iterator[Spool]:
    """Yield an empty spool, in a file that TMPDIR places and that goes with the process, however that ends.

    When there is no room for it, its methods raise `sqlite3.OperationalError`.
    """
    connection = sqlite3.connect("", isolation_level=None)
    try:
        connection.executescript(_TABLES)
        yield Spool(connection)
    finally:
        connection.close()
