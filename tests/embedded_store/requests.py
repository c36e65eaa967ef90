"""Random requests: few keys and few names, so that they meet."""

import re
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.embedded_store.subjects import TABLE

Request = dict[str, Any]
Call = tuple[str, Request]
Strategy = SearchStrategy

_NAMES = ("a", "b", "due", "shard", "deep")

_numbers = st.one_of(
    st.integers(-3, 12).map(str),
    st.sampled_from(["0.5", "-0.5", "1E2", "007", "1.50", "99999999999999999999999999999999999999", "1e-130"]),
)
_texts = st.sampled_from(["", "a", "ab", "abc", "ä", "\U0001f600", "\uffff", "z" * 50])
_binaries = st.sampled_from([b"a", b"ab", b"\x00", b"\xff"])
_scalars = st.one_of(
    _texts.map(lambda text: {"S": text}),
    _numbers.map(lambda number: {"N": number}),
    _binaries.map(lambda raw: {"B": raw}),
    st.booleans().map(lambda flag: {"BOOL": flag}),
    st.just({"NULL": True}),
)
_sets = st.one_of(
    st.sets(st.sampled_from(["a", "b", "c"]), min_size=1).map(lambda found: {"SS": sorted(found)}),
    st.sets(st.integers(0, 4), min_size=1).map(lambda found: {"NS": [str(one) for one in sorted(found)]}),
)
_values = st.recursive(
    st.one_of(_scalars, _sets),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda found: {"L": found}),
        st.dictionaries(st.sampled_from(["x", "y"]), inner, max_size=2).map(lambda found: {"M": found}),
    ),
    max_leaves=4,
)
_index_keys = st.integers(0, 3).map(lambda number: {"N": str(number)})

keys: Strategy[Request] = st.fixed_dictionaries(
    {
        "h": st.sampled_from([{"S": "one"}, {"S": "two"}]),
        "r": st.sampled_from([{"N": number} for number in ("-1.5", "0", "1", "2", "10")]),
    }
)
_attributes = st.fixed_dictionaries(
    {}, optional={"a": _values, "b": _values, "due": _index_keys, "shard": _index_keys, "deep": _values}
)
items: Strategy[Request] = st.tuples(keys, _attributes).map(lambda pair: {**pair[0], **pair[1]})

_paths = st.sampled_from(["#a", "#b", "#due", "#deep", "#deep.#x", "#a[0]", "#a[1]", "#deep.#x[0]", "#b.#y"])
_comparators = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])


def _test() -> Strategy[str]:
    return st.one_of(
        _paths.map(lambda path: f"attribute_exists({path})"),
        _paths.map(lambda path: f"attribute_not_exists({path})"),
        st.tuples(_paths, _comparators).map(lambda two: f"{two[0]} {two[1]} :v"),
        _paths.map(lambda path: f"begins_with({path}, :s)"),
        _paths.map(lambda path: f"contains({path}, :v)"),
        _paths.map(lambda path: f"size({path}) >= :n"),
        _paths.map(lambda path: f"{path} IN (:v, :n)"),
        _paths.map(lambda path: f"{path} BETWEEN :low AND :high"),
        _paths.map(lambda path: f"attribute_type({path}, :type)"),
        st.tuples(_paths, _paths).map(lambda two: f"{two[0]} = {two[1]}"),
    )


conditions: Strategy[str] = st.recursive(
    _test(),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(lambda it: f"({it[0]}) {it[1]} ({it[2]})"),
        inner.map(lambda one: f"NOT ({one})"),
    ),
    max_leaves=3,
)

_actions = st.one_of(
    _paths.map(lambda path: f"SET {path} = :v"),
    st.tuples(_paths, _paths).map(lambda two: f"SET {two[0]} = {two[1]}"),
    st.tuples(_paths, _paths).map(lambda two: f"SET {two[0]} = if_not_exists({two[1]}, :n)"),
    st.tuples(_paths, _paths).map(lambda two: f"SET {two[0]} = {two[1]} + :n"),
    st.tuples(_paths, _paths).map(lambda two: f"SET {two[0]} = {two[1]} - :n"),
    st.tuples(_paths, _paths).map(lambda two: f"SET {two[0]} = list_append({two[1]}, :list)"),
    st.tuples(_paths, _paths).map(lambda two: f"SET {two[0]} = :v REMOVE {two[1]}"),
    _paths.map(lambda path: f"REMOVE {path}"),
    st.just("REMOVE #a[0], #a[1]"),
    _paths.map(lambda path: f"ADD {path} :n"),
    _paths.map(lambda path: f"ADD {path} :set"),
    _paths.map(lambda path: f"DELETE {path} :set"),
    st.just("SET #shard = :index, #due = :index"),
    st.just("REMOVE #due"),
)

_ALIASES = {f"#{name}": name for name in (*_NAMES, "x", "y")}


def _used(text: str, given: dict[str, Any]) -> dict[str, Any]:
    """Those of the names or values that a text holds: DynamoDB refuses others."""
    held = set(re.findall(r"[#:]\w+", text))
    return {name: value for name, value in given.items() if name in held}


@st.composite
def _expressions(draw: Any, parameters: dict[str, Strategy[str]]) -> Request:
    texts = {parameter: draw(strategy) for parameter, strategy in parameters.items()}
    whole = " ".join(texts.values())
    values = {
        ":v": draw(_values),
        ":n": {"N": draw(_numbers)},
        ":s": {"S": draw(_texts)},
        ":low": {"N": "0"},
        ":high": {"N": "5"},
        ":type": {"S": draw(st.sampled_from(["S", "N", "L", "M", "SS"]))},
        ":list": {"L": [draw(_scalars)]},
        ":set": draw(_sets),
        ":index": draw(_index_keys),
        ":h": {"S": draw(st.sampled_from(["one", "two"]))},
        ":shard": draw(_index_keys),
    }
    request: Request = dict(texts)
    names, used = _used(whole, _ALIASES), _used(whole, values)
    if names:
        request["ExpressionAttributeNames"] = names
    if used:
        request["ExpressionAttributeValues"] = used
    return request


def _of_table(parts: tuple[Request, ...]) -> Request:
    merged: Request = {"TableName": TABLE}
    for part in parts:
        merged.update(part)
    return merged


def _optional(strategy: Strategy[Request]) -> Strategy[Request]:
    return st.one_of(st.just({}), strategy)


_conditional = _optional(_expressions({"ConditionExpression": conditions}))
_key = keys.map(lambda key: {"Key": key})
_puts = st.tuples(items.map(lambda item: {"Item": item}), _conditional).map(_of_table)
_deletes = st.tuples(_key, _conditional).map(_of_table)
_updates = st.tuples(
    _key,
    st.one_of(
        _expressions({"UpdateExpression": _actions}),
        _expressions({"UpdateExpression": _actions, "ConditionExpression": conditions}),
    ),
).map(_of_table)
_checks = st.tuples(_key, _expressions({"ConditionExpression": conditions})).map(_of_table)
_gets = st.tuples(_key, st.just({"ConsistentRead": True})).map(_of_table)


def _returning(strategy: Strategy[Request], *values: str) -> Strategy[Request]:
    return st.tuples(strategy, st.sampled_from(values)).map(lambda two: {**two[0], "ReturnValues": two[1]})


_of_hash = st.sampled_from(
    [
        "h = :h",
        "h = :h AND r > :n",
        "h = :h AND r <= :n",
        "h = :h AND r BETWEEN :low AND :high",
        "r = :n AND h = :h",
    ]
)
_options = st.fixed_dictionaries({"ScanIndexForward": st.booleans()}, optional={"Limit": st.integers(1, 4)})
_queries = st.tuples(
    st.one_of(
        _expressions({"KeyConditionExpression": _of_hash}),
        _expressions({"KeyConditionExpression": _of_hash, "FilterExpression": conditions}),
    ),
    _options,
    st.just({"ConsistentRead": True}),
).map(_of_table)


def _key_of(write: Request) -> Request:
    """DynamoDB refuses two of one key in one request."""
    (request,) = write.values()
    whole = request.get("Key") or request.get("Item") or {}
    return {"h": whole["h"], "r": whole["r"]}


_transactions = st.lists(
    st.one_of(
        _puts.map(lambda one: {"Put": one}),
        _deletes.map(lambda one: {"Delete": one}),
        _updates.map(lambda one: {"Update": one}),
        _checks.map(lambda one: {"ConditionCheck": one}),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda one: str(_key_of(one)),
).map(lambda found: {"TransactItems": found})
_batches = st.lists(
    st.one_of(
        items.map(lambda item: {"PutRequest": {"Item": item}}),
        keys.map(lambda key: {"DeleteRequest": {"Key": key}}),
    ),
    min_size=1,
    max_size=4,
).map(lambda found: {"RequestItems": {TABLE: found}})
_reads_of_batches = st.lists(keys, min_size=1, max_size=3).map(
    lambda found: {"TransactItems": [{"Get": {"TableName": TABLE, "Key": key}} for key in found]}
)


def _named(operation: str, strategy: Strategy[Request]) -> Strategy[Call]:
    return strategy.map(lambda request: (operation, request))


calls: Strategy[Call] = st.one_of(
    _named("PutItem", _returning(_puts, "NONE", "ALL_OLD")),
    _named("PutItem", _returning(_puts, "NONE", "ALL_OLD")),
    _named("UpdateItem", _returning(_updates, "NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW")),
    _named("UpdateItem", _returning(_updates, "ALL_NEW")),
    _named("DeleteItem", _returning(_deletes, "NONE", "ALL_OLD")),
    _named("GetItem", _gets),
    _named("Query", _queries),
    _named("TransactWriteItems", _transactions),
    _named("TransactGetItems", _reads_of_batches),
    _named("BatchWriteItem", _batches),
)
sequences: Strategy[list[Call]] = st.lists(calls, min_size=1, max_size=12)

# What moto and the emulator get wrong, by the word of DynamoDB Local.
_ODD = re.compile(
    r"\[|#\w+\.|size|contains|attribute_type|begins_with| IN | BETWEEN|[<>]|[-+]|list_append|DELETE|ADD"
    # To moto, two attributes that are not there are equal.
    r"|(?<!SET )#\w+ = #"
)


def is_plain(call: Call) -> bool:
    """Whether a request has the form of CronHub's own: flat attributes, and tests of what is there."""
    _, request = call
    is_partial = str(request.get("ReturnValues")).startswith("UPDATED")
    return not is_partial and all(not _ODD.search(text) for text in _expressions_in(request))


def _expressions_in(request: Any) -> list[str]:
    if isinstance(request, list):
        return [text for one in request for text in _expressions_in(one)]
    if not isinstance(request, dict):
        return []
    own = [
        request[name]
        for name in request
        if name in ("UpdateExpression", "ConditionExpression", "FilterExpression")
    ]
    return own + [text for one in request.values() for text in _expressions_in(one)]


plain_sequences: Strategy[list[Call]] = st.lists(calls.filter(is_plain), min_size=1, max_size=12)
