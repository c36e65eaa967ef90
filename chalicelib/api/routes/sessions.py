"""Sessions: browsers that are signed in."""

from chalicelib.api.http.answers import NoContent
from chalicelib.api.http.request import Call
from chalicelib.api.http.route import route
from chalicelib.api.schemas.paging import PageQuery
from chalicelib.api.schemas.sessions import SessionList, SessionOut
from chalicelib.domain.accounts.permissions import Action
from chalicelib.services import sessions


@route("GET", "/api/sessions", action=Action.READ)
def list_sessions(call: Call, query: PageQuery) -> SessionList:
    """List the sessions

    The browsers that are signed in: of the whole organization for an admin's key, of the same member for others.
    """
    found, after = sessions.list_sessions(call.key, query.page, call.now)
    return SessionList(tuple(SessionOut.of(one) for one in found), after)


@route("DELETE", "/api/sessions/{session_id}", action=Action.READ)
def end_session(call: Call, session_id: str) -> NoContent:
    """End a session

    The browser is signed out at once. Revoking a key or removing a member ends their sessions as well.
    """
    sessions.end(session_id, call.key, call.now)
    return NoContent()
