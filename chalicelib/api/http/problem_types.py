"""The kinds of problems. The `type` of a problem is the address of the page that explains its kind (RFC 9457)."""

from enum import Enum

from chalicelib import settings


class ProblemType(Enum):
    """The end of its address, its status, its title."""

    MALFORMED = ("malformed", 400, "Bad Request")
    UNAUTHENTICATED = ("unauthenticated", 401, "Unauthorized")
    FORBIDDEN = ("forbidden", 403, "Forbidden")
    NOT_FOUND = ("not-found", 404, "Not Found")
    METHOD_NOT_ALLOWED = ("method-not-allowed", 405, "Method Not Allowed")
    CONFLICT = ("conflict", 409, "Conflict")
    BLOCKED = ("blocked", 409, "Conflict")
    GONE = ("gone", 410, "Gone")
    TOO_LARGE = ("too-large", 413, "Content Too Large")
    UNSUPPORTED_MEDIA_TYPE = ("unsupported-media-type", 415, "Unsupported Media Type")
    INVALID = ("invalid", 422, "Unprocessable Content")
    THROTTLED = ("throttled", 429, "Too Many Requests")
    INTERNAL_ERROR = ("internal-error", 500, "Internal Server Error")
    UNAVAILABLE = ("unavailable", 503, "Service Unavailable")

    @property
    def slug(self) -> str:
        return self.value[0]

    @property
    def status(self) -> int:
        return self.value[1]

    @property
    def title(self) -> str:
        return self.value[2]

    @property
    def url(self) -> str:
        return f"{settings.base_url()}/problems/{self.slug}"


#: The kind that a status says by itself: the first one that has it.
BY_STATUS = {kind.status: kind for kind in reversed(ProblemType)}
BY_SLUG = {kind.slug: kind for kind in ProblemType}
