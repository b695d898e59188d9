"""Keep each user's thread in a database, so that the conversation goes on when the program starts again."""

import sqlite3
import sys

from openai import OpenAI

client = OpenAI()
user, text = sys.argv[1:]

db = sqlite3.connect("bot.db")
db.execute("CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, thread_id TEXT, assistant_id TEXT)")
row = db.execute("SELECT thread_id, assistant_id FROM users WHERE name = ?", (user,)).fetchone()
if row:
    thread_id, assistant_id = row
    client.beta.threads.retrieve(thread_id)
    print(f"Welcome back, {user}")
else:
    assistant_id = client.beta.assistants.create(model="gpt-4o", instructions="You remember the user.").id
    thread_id = client.beta.threads.create(metadata={"user": user}).id
    db.execute("INSERT INTO users VALUES (?, ?, ?)", (user, thread_id, assistant_id))
    db.commit()
    print(f"Hello, {user}")

client.beta.threads.messages.create(thread_id, role="user", content=text)
run = client.beta.threads.runs.create_and_poll(thread_id=thread_id, assistant_id=assistant_id)
messages = client.beta.threads.messages.list(thread_id=thread_id)
print(messages.data[0].content[0].text.value)
print(f"{len(messages.data)} messages")
