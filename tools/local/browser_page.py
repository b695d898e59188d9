"""`/browser/` of the local API: the unchanged files of the thread browser."""

from pathlib import Path

from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

_FILES = Path(__file__).parents[2] / "browser"

ROUTES = [Mount("/browser", StaticFiles(directory=_FILES, html=True))]
