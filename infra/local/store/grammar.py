"""The grammar of expressions. A text is parsed once: requests of one kind share their texts."""

import re
from functools import cache, lru_cache
from typing import Any, cast

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput, UnexpectedToken

from infra.local.store import syntax
from infra.local.store.errors import Invalid
from infra.local.store.reserved_words import RESERVED_WORDS

MOST_BYTES = 4096
_KEPT = 2048

_GRAMMAR = r"""
?condition: conjunction
          | condition _OR conjunction                            -> disjunction
?conjunction: negation
            | conjunction _AND negation
?negation: _NOT negation                                         -> negation
         | test
?test: "(" condition ")"
     | operand COMPARATOR operand                                -> comparison
     | operand EQUALS operand                                    -> comparison
     | operand _BETWEEN operand _AND operand                     -> between
     | operand _IN "(" operand ("," operand)* ")"                -> membership
     | call                                                      -> predicate

update: section+
section: SET assignment ("," assignment)*
       | REMOVE removal ("," removal)*
       | ADD addition ("," addition)*
       | DELETE deletion ("," deletion)*
assignment: path EQUALS (operand | sum)
sum: operand SIGN operand
removal: path
addition: path placeholder
deletion: path placeholder

projection: path ("," path)*

?operand: path | placeholder | call
call: NAME "(" operand ("," operand)* ")"
placeholder: PLACEHOLDER
path: (NAME | ALIAS) ("." (NAME | ALIAS) | "[" PLACE "]")*

_OR.2: /OR\b/i
_AND.2: /AND\b/i
_NOT.2: /NOT\b/i
_BETWEEN.2: /BETWEEN\b/i
_IN.2: /IN\b/i
SET.2: /SET\b/i
REMOVE.2: /REMOVE\b/i
ADD.2: /ADD\b/i
DELETE.2: /DELETE\b/i
COMPARATOR: "<>" | "<=" | ">=" | "<" | ">"
EQUALS: "="
SIGN: "+" | "-"
NAME: /[A-Za-z_][A-Za-z0-9_]*/
ALIAS: /#[A-Za-z0-9_]+/
PLACEHOLDER: /:[A-Za-z0-9_]+/
PLACE: /[0-9]+/
%ignore /[ \t\r\n\f]+/
"""

_token = re.compile(r"[#:]?\w+|<>|<=|>=|[^\s\w]").finditer


class _Faulty(Exception):
    """The text is of the right form and says something that is not allowed."""


@v_args(inline=True)
class _Builder(Transformer[Token, Any]):
    disjunction = syntax.Disjunction
    conjunction = syntax.Conjunction
    negation = syntax.Negation
    between = syntax.Between
    predicate = syntax.Predicate
    removal = syntax.Removal
    addition = syntax.Addition
    deletion = syntax.Deletion

    def comparison(self, left: syntax.Operand, comparator: Token, right: syntax.Operand) -> syntax.Comparison:
        return syntax.Comparison(left, str(comparator), right)

    def membership(self, operand: syntax.Operand, *candidates: syntax.Operand) -> syntax.Membership:
        return syntax.Membership(operand, candidates)

    def update(self, *sections: syntax.Section) -> syntax.Update:
        keywords = [section.keyword for section in sections]
        for keyword in keywords:
            if keywords.count(keyword) > 1:
                raise _Faulty(f'The "{keyword}" section can only be used once in an update expression;')
        return syntax.Update(sections)

    def section(self, keyword: Token, *actions: syntax.Action) -> syntax.Section:
        return syntax.Section(keyword.upper(), actions)

    def assignment(self, path: syntax.Path, _: Token, value: syntax.Operand | syntax.Sum) -> syntax.Assignment:
        return syntax.Assignment(path, value)

    def sum(self, left: syntax.Operand, sign: Token, right: syntax.Operand) -> syntax.Sum:
        return syntax.Sum(left, str(sign), right)

    def projection(self, *paths: syntax.Path) -> syntax.Projection:
        return syntax.Projection(paths)

    def call(self, function: Token, *arguments: syntax.Operand) -> syntax.Call:
        return syntax.Call(str(function), arguments)

    def placeholder(self, name: Token) -> syntax.Placeholder:
        return syntax.Placeholder(str(name))

    def path(self, *parts: Token) -> syntax.Path:
        for part in parts:
            if part.type == "NAME" and part.upper() in RESERVED_WORDS:
                raise _Faulty(f"Attribute name is a reserved keyword; reserved keyword: {part}")
        return syntax.Path(tuple(int(part) if part.type == "PLACE" else str(part) for part in parts))


@cache
def _parser() -> Lark:
    starts = ["condition", "update", "projection"]
    return Lark(_GRAMMAR, parser="lalr", start=starts, propagate_positions=False, transformer=_Builder())


def parse_condition(text: str, parameter: str) -> syntax.Condition:
    return cast(syntax.Condition, _parse("condition", text, parameter))


def parse_update(text: str) -> syntax.Update:
    return cast(syntax.Update, _parse("update", text, "UpdateExpression"))


def parse_projection(text: str) -> syntax.Projection:
    return cast(syntax.Projection, _parse("projection", text, "ProjectionExpression"))


@lru_cache(_KEPT)
def _parse(start: str, text: str, parameter: str) -> Any:
    if not text.strip():
        raise Invalid(f"Invalid {parameter}: The expression can not be empty;")
    if len(text.encode()) > MOST_BYTES:
        raise Invalid(
            f"Invalid {parameter}: Expression size has exceeded the maximum allowed size; "
            f"expression size: {len(text.encode())}"
        )
    try:
        return _parser().parse(text, start=start)
    except UnexpectedInput as error:
        raise Invalid(f"Invalid {parameter}: {_syntax_error(text, error)}") from None
    except _Faulty as fault:
        raise Invalid(f"Invalid {parameter}: {fault}") from None


def _syntax_error(text: str, error: UnexpectedInput) -> str:
    """Names the token that does not fit, with its neighbours, as DynamoDB does."""
    tokens = [(found.start(), found.end()) for found in _token(text)]
    at = -1 if error.pos_in_stream is None else error.pos_in_stream
    place = next((n for n, (_, end) in enumerate(tokens) if end > at >= 0), len(tokens))
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        place = len(tokens)
    name = "<EOF>" if place == len(tokens) else text[slice(*tokens[place])]
    start = tokens[max(place - 1, 0)][0]
    end = tokens[min(place + 1, len(tokens) - 1)][1]
    return f'Syntax error; token: "{name}", near: "{text[start:end]}"'
