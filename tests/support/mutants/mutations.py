"""What can be broken in a module: one condition, one compared value, one raise or early return at a time."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

_SHIFTED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
_NEGATED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_QUANTIFIERS = {"any": "all", "all": "any"}


@dataclass(frozen=True)
class Mutation:
    """One change to one module."""

    function: str
    """Where it is: the qualified name of the class or function, or `module`."""
    line: int
    before: str
    """The expression or statement as it was, in Python."""
    after: str
    """What it became."""
    number: int
    """Which of all places in the module it is."""
    lines: range
    """The lines of what changes; of a branch those of its condition."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What names the change although lines move."""
        return self.function, self.before, self.after


class _Replace(ast.NodeTransformer):
    """Puts another node where one stood."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self._old:
            return self._new
        self.generic_visit(node)
        return node


def mutations(source: str, *, exact: bool = True) -> Iterator[Mutation]:
    """Yield every mutation of a module's source, in the order of its lines.

    Not `exact`: the module compares nanoseconds, and moving a limit by one of them (`<` to `<=`) breaks nothing.
    """
    for number, (function, old, new) in enumerate(_places(ast.parse(source), "module", nested=False)):
        if exact or not _shifts(old, new):
            changing = old.test if isinstance(old, ast.If) else old
            lines = range(getattr(changing, "lineno", 0), (getattr(changing, "end_lineno", None) or 0) + 1)
            yield Mutation(function, getattr(old, "lineno", 0), _shown(old), _shown(new), number, lines)


def mutated(source: str, number: int) -> str:
    """Return the whole module with one of its mutations."""
    tree = ast.parse(source)
    _, old, new = next(islice(_places(tree, "module", nested=False), number, None))
    return ast.unparse(ast.fix_missing_locations(_Replace(old, new).visit(tree)))


def _shifts(old: ast.AST, new: ast.AST) -> bool:
    """Whether only the equal case changes."""
    if not isinstance(old, ast.Compare) or not isinstance(new, ast.Compare):
        return False
    changed = [(type(a), type(b)) for a, b in zip(old.ops, new.ops, strict=True) if type(a) is not type(b)]
    return any(_SHIFTED.get(a) is b for a, b in changed)


def _shown(node: ast.AST) -> str:
    """One line that tells what is there: of a branch only its condition."""
    if isinstance(node, ast.If):
        return f"if {ast.unparse(node.test)}"
    return ast.unparse(node)


def _places(node: ast.AST, function: str, *, nested: bool) -> Iterator[tuple[str, ast.AST, ast.AST]]:
    """Yield name of the function, node, and its replacement; `nested`: inside a branch or loop of a function."""
    for child in list(ast.iter_child_nodes(node)):
        name, inside = function, nested
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            name = child.name if function == "module" else f"{function}.{child.name}"
            inside = False
        elif isinstance(child, ast.If | ast.For | ast.While | ast.Try | ast.With | ast.Match):
            inside = True
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        decided = isinstance(node, ast.If | ast.IfExp) and child is node.test
        for new in _replacements(child, nested=nested):
            # a whole condition that is always true, and always false, has been turned around as well
            if not (decided and isinstance(child, ast.Compare) and not _shifts(child, new)):
                yield name, child, new
        yield from _places(child, name, nested=inside)


def _replacements(node: ast.AST, *, nested: bool) -> Iterator[ast.AST]:
    match node:
        case ast.If() | ast.IfExp():
            for value in (True, False):
                decided = copy.copy(node)
                decided.test = ast.Constant(value)
                yield decided
        case ast.Compare():
            for table in (_NEGATED, _SHIFTED):
                for number, operator in enumerate(node.ops):
                    if type(operator) in table:
                        operators = [*node.ops[:number], table[type(operator)](), *node.ops[number + 1 :]]
                        yield ast.Compare(node.left, operators, node.comparators)
        case ast.BoolOp():
            yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.Call(func=ast.Name(id=name)) if name in _QUANTIFIERS:
            yield ast.Call(ast.Name(_QUANTIFIERS[name]), node.args, node.keywords)
        case ast.Raise():
            yield ast.Pass()
        case ast.Return() if nested:
            yield ast.Pass()
        case _:
            pass
