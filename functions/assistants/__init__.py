"""Assistants: one Lambda function serves all of their routes. Each operation has a module of the same name."""

from functions.assistants.create_assistant import create_assistant
from functions.assistants.delete_assistant import delete_assistant
from functions.assistants.list_assistants import list_assistants
from functions.assistants.modify_assistant import modify_assistant
from functions.assistants.retrieve_assistant import retrieve_assistant
from shared.runs.routing import Routes, serve_routes

ROUTES: Routes = {
    "/assistants": {"GET": list_assistants, "POST": create_assistant},
    "/assistants/{assistantId}": {
        "GET": retrieve_assistant,
        "POST": modify_assistant,
        "DELETE": delete_assistant,
    },
}

handler = serve_routes("assistants", ROUTES)
