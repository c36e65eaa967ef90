"""What depends on what, as edges. A cron's own item says what it depends on; an edge, written with
it, is how its dependants are found."""

from typing import NamedTuple

from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.dependencies import Edges
from chalicelib.store.errors import store_errors
from chalicelib.store.reading import get_or_none
from chalicelib.store.tables import EdgeItem

# Sorts behind all edges: these begin with a hex digit.
_VERSION = "graph"


class Graph(NamedTuple):
    """All edges of an org. Edges may be added only while `version` is still the last."""

    version: int
    edges: Edges


def graph_of_org(org_id: str) -> Graph:
    # The version first: of what was added since then, the write must not be unaware.
    with store_errors():
        version = _version(org_id)
        edges: dict[str, list[str]] = {}
        for item in EdgeItem.query(org_id, EdgeItem.edge < _VERSION, consistent_read=True):
            depends_on, _, cron_id = item.edge.partition("#")
            edges.setdefault(cron_id, []).append(depends_on)
    return Graph(version, edges)


def _version(org_id: str) -> int:
    item = get_or_none(EdgeItem, org_id, _VERSION)
    return 0 if item is None else int(item.version or 0)


def dependants_of(org_id: str, cron_id: str) -> list[str]:
    """The ids of the crons that depend on this one."""
    condition = EdgeItem.edge.startswith(f"{cron_id}#")
    with store_errors():
        items = EdgeItem.query(org_id, condition, consistent_read=True)
        return [item.edge.partition("#")[2] for item in items]


def added(before: Cron | None, cron: Cron) -> set[str]:
    """What a cron depends on that it did not depend on before."""
    return set(cron.depends_on) - _of(before)


def removed(before: Cron | None, cron: Cron) -> set[str]:
    return _of(before) - set(cron.depends_on)


def _of(before: Cron | None) -> set[str]:
    return set() if before is None else set(before.depends_on)


def move_edges(transaction: TransactWrite, before: Cron | None, cron: Cron) -> None:
    for depends_on in sorted(added(before, cron)):
        transaction.save(_edge_item(cron, depends_on))
    for depends_on in sorted(removed(before, cron)):
        transaction.delete(_edge_item(cron, depends_on))


def remove_edges(transaction: TransactWrite, cron: Cron) -> None:
    for depends_on in cron.depends_on:
        transaction.delete(_edge_item(cron, depends_on))


def move_graph_on(transaction: TransactWrite, org_id: str, version: int) -> None:
    """Fails the transaction where somebody has added an edge since the graph of `version` was read."""
    unmoved: Condition = EdgeItem.version == version if version else EdgeItem.edge.does_not_exist()
    transaction.save(EdgeItem(org_id, _VERSION, version=version + 1), unmoved)


def _edge_item(cron: Cron, depends_on: str) -> EdgeItem:
    return EdgeItem(cron.org_id, f"{depends_on}#{cron.id}")
