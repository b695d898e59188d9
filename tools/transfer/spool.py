"""The spool: the objects of all files, on disk and in order, because they may not fit into memory."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from shared import ids
from shared.records import Message, MessageData, Thread
from shared.runs.records import Assistant, AssistantData
from shared.store import keys
from tools.transfer.errors import RefusedError
from tools.transfer.files import Candidate, Refuse

_TABLES = """
    PRAGMA journal_mode = MEMORY;
    PRAGMA synchronous = OFF;
    CREATE TABLE threads (
        number INTEGER PRIMARY KEY, id TEXT UNIQUE, created_at INTEGER, metadata TEXT, tool_resources TEXT, place TEXT
    );
    CREATE TABLE assistants (
        number INTEGER PRIMARY KEY, id TEXT UNIQUE, created_at INTEGER, data TEXT, place TEXT
    );
    CREATE TABLE refused_threads (id TEXT PRIMARY KEY, place TEXT);
    CREATE TABLE messages (
        number INTEGER PRIMARY KEY, thread TEXT, id TEXT, created_at INTEGER, data TEXT, place TEXT, source TEXT,
        in_page INTEGER, UNIQUE (thread, id)
    );
    CREATE TABLE page_ends (thread TEXT, message TEXT, rest TEXT, place TEXT);
    CREATE TABLE positions (position INTEGER PRIMARY KEY, thread TEXT, number INTEGER);
    CREATE INDEX of_thread ON positions (thread, position);
"""

# Messages of the same second have the order of their sources (by time), and then their order in the source. Pages of
# list messages usually have the newest message first. The order of a source is reversed if its times fall and never
# rise. If its times are all equal, it is reversed if it is a page, and no source of the thread has rising times.
_POSITIONS = """
    INSERT INTO positions (thread, number)
    WITH steps AS (
        SELECT thread, number, created_at, source, in_page,
            created_at - lag(created_at) OVER (PARTITION BY thread, source ORDER BY number) AS step
        FROM messages
    ), sources AS (
        SELECT thread, source, min(created_at) AS oldest, max(created_at) AS newest, max(in_page) AS in_page,
            coalesce(max(step) > 0, 0) AS rises, coalesce(min(step) < 0, 0) AS falls
        FROM steps GROUP BY thread, source
    ), turned AS (
        SELECT *, NOT rises AND (falls OR in_page AND NOT max(rises) OVER (PARTITION BY thread)) AS newest_first
        FROM sources
    )
    SELECT thread, number FROM messages JOIN turned USING (thread, source)
    ORDER BY thread, created_at, oldest, newest, CASE WHEN newest_first THEN -number ELSE number END
"""
_MADE_THREADS = """
    INSERT INTO threads (place, id, created_at, metadata, tool_resources)
    SELECT place, thread, time_of(thread, min(created_at)), '{}', '{}' FROM messages
    WHERE thread NOT IN (SELECT id FROM threads) GROUP BY thread ORDER BY min(number)
"""
# Pages with `has_more` whose last message is also the last message of the thread in the page's direction.
_BROKEN_OFF = """
    SELECT min(page_ends.place), page_ends.thread, message, rest FROM page_ends JOIN messages
    ON id = message AND number = (
        SELECT number FROM positions WHERE position = (
            SELECT CASE rest WHEN 'older' THEN min(position) ELSE max(position) END
            FROM positions WHERE thread = page_ends.thread
        )
    )
    GROUP BY page_ends.thread, message, rest
"""
_DROP = """
    DELETE FROM messages WHERE thread IN (SELECT id FROM refused_threads) AND thread NOT IN (SELECT id FROM threads)
    RETURNING place, thread, (SELECT place FROM refused_threads WHERE id = thread)
"""


class Entry(NamedTuple):
    """A thread in the spool, with its place in a file and its number among all threads."""

    number: int
    place: str
    thread: Thread


class Spool:
    """The threads, messages and assistants of some files. They can be read after `complete`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._run = connection.execute

    def add(self, candidate: Candidate, record: Thread | Message | Assistant) -> None:
        """Store a record. Raises `RefusedError` if it differs from a stored record with the same id."""
        row: dict[str, object] = {"id": record.id, "created_at": record.created_at}
        beside: dict[str, object] = {"place": candidate.place}
        key: tuple[str, ...] = ("id",)
        match record:
            case Thread():
                table = "threads"
                row |= record._asdict()
            case Assistant():
                table = "assistants"
                row["data"] = json.dumps(record.data._asdict())
            case Message():
                table, key = "messages", ("id", "thread")
                row |= {"thread": record.thread_id, "data": json.dumps(record.data)}
                beside |= {"source": candidate.source, "in_page": candidate.in_page}
                if candidate.rest:
                    page_end = (record.thread_id, record.id, candidate.rest, candidate.place)
                    self._run("INSERT INTO page_ends VALUES (?, ?, ?, ?)", page_end)
        values = row | beside
        columns, marks = ", ".join(values), ", ".join("?" * len(values))
        try:
            self._run(f"INSERT INTO {table} ({columns}) VALUES ({marks})", [*values.values()])  # noqa: S608 - our names
        except sqlite3.IntegrityError:
            where = " AND ".join(f"{name} = ?" for name in key)
            known = f"SELECT {', '.join(row)}, place FROM {table} WHERE {where}"  # noqa: S608 - our names
            *stored, place = self._run(known, [row[name] for name in key]).fetchone()
            if stored != [*row.values()]:
                raise RefusedError(f"it differs from {record.id} in {place}, and only that one is imported") from None

    def refuse_thread(self, place: str, thread_id: object) -> None:
        """Note a refused thread, so that its messages do not create it."""
        if isinstance(thread_id, str) and ids.is_path_id(thread_id, "thread"):
            self._run("INSERT OR IGNORE INTO refused_threads VALUES (?, ?)", (thread_id, place))

    def complete(self, refuse: Refuse, warn: Refuse) -> None:
        """Remove the messages of refused threads, create the threads that only messages name, and order all messages.

        `refuse` gets the messages that were removed, `warn` the pages whose next page was not added.
        """
        for place, thread_id, other in self._run(_DROP):
            refuse(place, f"its thread {thread_id} was refused: {other}")
        self._run(_MADE_THREADS)
        self._run(_POSITIONS)
        for place, thread_id, message_id, rest in self._run(_BROKEN_OFF):
            warn(place, f"the page has more, but no {rest} message of {thread_id} than {message_id} is in the files")

    def counts(self) -> tuple[int, int]:
        """Return the numbers of threads and of assistants."""
        ((threads, assistants),) = self._run("SELECT (SELECT count(*) FROM threads), (SELECT count(*) FROM assistants)")
        return threads, assistants

    def assistants(self) -> Iterator[tuple[int, Assistant]]:
        """Yield the assistants in the order in which they were added, each with its number."""
        query = "SELECT number, id, created_at, data FROM assistants ORDER BY number"
        for number, own_id, created_at, stored in self._run(query):
            data = AssistantData(**json.loads(stored))
            yield number, Assistant(own_id, created_at, data._replace(tools=tuple(data.tools)))

    def threads(self) -> Iterator[Entry]:
        """Yield the threads, in the order in which they were added."""
        query = "SELECT number, place, id, created_at, metadata, tool_resources FROM threads ORDER BY number"
        for number, place, *thread in self._run(query):
            yield Entry(number, place, Thread(*thread))

    def messages(self, thread_id: str) -> Iterator[Message]:
        """Yield the messages of a thread, the oldest first."""
        query = """
            SELECT id, created_at, data FROM positions JOIN messages USING (number)
            WHERE positions.thread = ? ORDER BY position
        """
        for own_id, created_at, data in self._run(query, (thread_id,)):
            yield Message(own_id, thread_id, created_at, MessageData(*json.loads(data)))

    def count(self, thread_id: str) -> int:
        """Return the number of messages of a thread."""
        ((count,),) = self._run("SELECT count(*) FROM messages WHERE thread = ?", (thread_id,))
        return int(count)

    def has(self, thread_id: str, message_id: str) -> bool:
        """Return whether a thread has a message with this id."""
        query = "SELECT 1 FROM messages WHERE thread = ? AND id = ?"
        return self._run(query, (thread_id, message_id)).fetchone() is not None


def _time_of(thread_id: str, first: int) -> int:
    """Return the time of a thread's creation: the time in its id, or, if there is none, that of its first message."""
    ulid = thread_id.removeprefix(keys.THREAD_PREFIX)
    return ids.milliseconds(ulid) // 1000 if ids.is_ulid(ulid) else first


@contextmanager
def open_spool() -> Iterator[Spool]:
    """Yield an empty spool. Its file in TMPDIR is deleted when the process ends, even if it is killed.

    If the disk is full, the spool's methods raise `sqlite3.OperationalError`.
    """
    connection = sqlite3.connect("", isolation_level=None)
    try:
        connection.executescript(_TABLES)
        connection.create_function("time_of", 2, _time_of, deterministic=True)
        yield Spool(connection)
    finally:
        connection.close()
