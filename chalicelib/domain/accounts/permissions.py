"""Who may do what: the one table of roles, key scopes and actions."""

from enum import StrEnum


class Action(StrEnum):
    """What a request does."""

    #: See anything of the org.
    READ = "read"
    #: Register crons and send signals.
    INGEST = "ingest"
    #: Change crons, projects, maintenance, channels and incidents.
    CHANGE = "change"
    #: Manage keys, members and the org's name.
    ADMIN = "admin"
    #: Delete the org, and manage owners.
    OWN = "own"


class Role(StrEnum):
    """What a member is in an org, lowest last."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"


class Scope(StrEnum):
    """What a key is for."""

    FULL = "full"
    INGEST = "ingest"
    READ = "read"


_OF_ROLE = {
    Role.OWNER: frozenset(Action),
    Role.ADMIN: frozenset(Action) - {Action.OWN},
    Role.MEMBER: frozenset({Action.READ, Action.INGEST, Action.CHANGE}),
    Role.VIEWER: frozenset({Action.READ}),
}
_OF_SCOPE = {
    Scope.FULL: frozenset(Action),
    Scope.INGEST: frozenset({Action.INGEST}),
    Scope.READ: frozenset({Action.READ}),
}


def may(role: Role, scope: Scope, action: Action) -> bool:
    """Whether a key of this scope, of somebody in this role, may do it: both must allow it."""
    return action in _OF_ROLE[role] & _OF_SCOPE[scope]
