"""The routes of the functions that serve several operations, read without importing them: an import needs a table."""

import ast
from pathlib import Path

_FUNCTIONS = Path(__file__).parents[2] / "functions"


def _routes(function: str) -> dict[str, tuple[str, str, str]]:
    """Return function, method and path of each operation in the `ROUTES` of a package."""
    tree = ast.parse((_FUNCTIONS / function / "__init__.py").read_text(encoding="utf-8"))
    names: dict[str, str] = {}
    found = {}
    for node in tree.body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.targets[0], ast.Name)
        ):
            names[node.targets[0].id] = ast.literal_eval(node.value)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict):
            for path, operations in zip(node.value.keys, node.value.values, strict=True):
                assert path
                assert isinstance(operations, ast.Dict)
                text = eval(compile(ast.Expression(path), "<routes>", "eval"), dict(names))  # noqa: S307 - our own code
                for method, operation in zip(operations.keys, operations.values, strict=True):
                    assert isinstance(operation, ast.Name)
                    assert isinstance(method, ast.Constant)
                    found[operation.id] = (function, str(method.value), str(text))
    return found


# By operation: its function, method and path.
ROUTES = _routes("assistants") | _routes("runs")
