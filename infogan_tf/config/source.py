"""What classes and functions say of themselves, read from their source: importing them would import TensorFlow.

Places are written "package.module:Class", "package.module:Class.method" or "package.module:function".
"""

import ast
import functools
import importlib.util
from collections.abc import Iterator
from pathlib import Path


@functools.cache
def parameters(place: str) -> tuple[str, ...]:
    """The names of a function's parameters, in order and without self.

    Where a method hands **kwargs on, or its class has none of the name, those of the base class's method follow that
    it does not set itself.
    """
    module, _, name = place.partition(":")
    owner, _, method = name.rpartition(".")
    if not owner:
        return tuple(_names(_definition(module, name)))
    found, positional, named = [], 0, set()
    for node in _lineage(module, owner):
        function = _member(node, method)
        if function is not None:
            free = [name for name in _names(function)[1 + positional :] if name not in named]
            found += [name for name in free if name not in found]
            if function.args.kwarg is None:
                break
            positional, named = _set_of_base(function)
    return tuple(found)


def constant(place: str) -> object:
    """The literal value of a class's constant, "package.module:Class.NAME", its own or inherited.

    Raises:
        AttributeError: Where no class of its line, as far as it is this package's, has one.
    """
    module, _, name = place.partition(":")
    owner, _, attribute = name.rpartition(".")
    for node in _lineage(module, owner):
        for statement in node.body:
            targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
            if any(isinstance(target, ast.Name) and target.id == attribute for target in targets):
                return ast.literal_eval(statement.value)
    raise AttributeError(f"{place}: no class of its line has a {attribute}")


@functools.cache
def _tree(module: str) -> ast.Module:
    return ast.parse(Path(importlib.util.find_spec(module).origin).read_text(encoding="utf-8"))


def _definition(module, name):
    return next(node for node in _tree(module).body if getattr(node, "name", None) == name)


def _lineage(module: str, name: str) -> Iterator[ast.ClassDef]:
    """A class and its first bases, as far as they are this package's."""
    while module:
        node = _definition(module, name)
        yield node
        base = node.bases[0] if node.bases else None
        name = base.id if isinstance(base, ast.Name) else ""
        imports = [each for each in _tree(module).body if isinstance(each, ast.ImportFrom)]
        homes = [each.module for each in imports if name in [alias.name for alias in each.names]]
        here = any(getattr(each, "name", None) == name for each in _tree(module).body)
        module = module if here else homes[0] if homes else ""


def _member(node, name):
    return next((each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == name), None)


def _set_of_base(function):
    """How many parameters of the base class's method of its name a method sets by place, and which by name."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == f"super().{function.name}":
            return sum(not isinstance(each, ast.Starred) for each in node.args), {
                keyword.arg for keyword in node.keywords
            }
    return 0, set()


def _names(function):
    arguments = function.args
    return [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
