"""The routes of functions with several operations. The code is parsed, not imported: an import needs a table."""

import ast
from pathlib import Path

_FUNCTIONS = Path(__file__).parents[2] / "functions"


class _Names(dict[str, str]):
    """The constants of a module. The value of any other name, such as that of an operation, is the name itself."""

    def __missing__(self, name: str) -> str:
        return name


def _routes(function: str) -> dict[str, tuple[str, str, str]]:
    """Return function, method and path of each operation in the `ROUTES` of a package."""
    names = _Names()
    found: dict[str, tuple[str, str, str]] = {}
    for node in ast.parse((_FUNCTIONS / function / "__init__.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            names[ast.unparse(node.targets[0])] = str(node.value.value)
        elif isinstance(node, ast.AnnAssign) and node.value:
            routes = eval(compile(ast.Expression(node.value), function, "eval"), {}, names)  # noqa: S307 - our own code
            for path, operations in routes.items():
                found |= {operation: (function, method, path) for method, operation in operations.items()}
    return found


# By operation: its function, method and path.
ROUTES = _routes("assistants") | _routes("runs")
