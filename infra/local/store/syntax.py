"""The parts of an expression, as the grammar finds them: before names and values are filled in."""

from typing import NamedTuple, TypeAlias


class Path(NamedTuple):
    """`a.#b[2]`: names as they stand in the text, and places in lists."""

    parts: tuple[str | int, ...]


class Placeholder(NamedTuple):
    """`:value`"""

    name: str


class Call(NamedTuple):
    function: str
    arguments: "tuple[Operand, ...]"


class Sum(NamedTuple):
    """`left + right` or `left - right`, in a SET only."""

    left: "Operand"
    sign: str
    right: "Operand"


Operand: TypeAlias = Path | Placeholder | Call


class Comparison(NamedTuple):
    left: Operand
    comparator: str
    right: Operand


class Between(NamedTuple):
    operand: Operand
    low: Operand
    high: Operand


class Membership(NamedTuple):
    operand: Operand
    candidates: tuple[Operand, ...]


class Predicate(NamedTuple):
    """A function that is a condition by itself."""

    call: Call


class Negation(NamedTuple):
    condition: "Condition"


class Conjunction(NamedTuple):
    left: "Condition"
    right: "Condition"


class Disjunction(NamedTuple):
    left: "Condition"
    right: "Condition"


Condition: TypeAlias = Comparison | Between | Membership | Predicate | Negation | Conjunction | Disjunction


class Assignment(NamedTuple):
    """One action of a SET."""

    path: Path
    value: Operand | Sum


class Removal(NamedTuple):
    path: Path


class Addition(NamedTuple):
    """One action of an ADD."""

    path: Path
    value: Placeholder


class Deletion(NamedTuple):
    """One action of a DELETE, which takes members out of a set."""

    path: Path
    value: Placeholder


Action: TypeAlias = Assignment | Removal | Addition | Deletion


class Section(NamedTuple):
    keyword: str
    actions: tuple[Action, ...]


class Update(NamedTuple):
    sections: tuple[Section, ...]


class Projection(NamedTuple):
    paths: tuple[Path, ...]
