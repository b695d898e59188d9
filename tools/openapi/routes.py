"""The routes of the functions that serve several operations, read without importing them: an import needs a table."""

import ast
from pathlib import Path

_FUNCTIONS = Path(__file__).parents[2] / "functions"


def _routes(function: str) -> dict[str, tuple[str, str, str]]:
    """Return function, method and path of each operation in the `ROUTES` of a package."""
    tree = ast.parse((_FUNCTIONS / function / "__init__.py").read_text(encoding="utf-8"))
    names: dict[str, object] = {}
    found: dict[str, tuple[str, str, str]] = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value)):
                names[name] = value
            case ast.AnnAssign(value=ast.Dict() as table):
                # A path is a text, a name above it, or both in one.
                for path, operations in zip(map(ast.unparse, filter(None, table.keys)), table.values, strict=True):
                    text = str(eval(path, dict(names)))  # noqa: S307 - our own code
                    found |= {name: (function, method, text) for method, name in _by_method(operations)}
            case _:
                pass
    return found


def _by_method(operations: ast.expr) -> list[tuple[str, str]]:
    match operations:
        case ast.Dict(keys=methods, values=names):
            return [
                (str(ast.literal_eval(method)), ast.unparse(name))
                for method, name in zip(methods, names, strict=True)
                if method
            ]
    raise TypeError(ast.unparse(operations))


# By operation: its function, method and path.
ROUTES = _routes("assistants") | _routes("runs")
