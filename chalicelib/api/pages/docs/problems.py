"""What each kind of problem means, and what to do about it."""

from typing import NamedTuple


class Meaning(NamedTuple):
    meaning: str
    remedy: str


#: By the end of the problem type's address.
MEANINGS = {
    "malformed": Meaning(
        "The body cannot be read: it is not a JSON object in UTF-8, or it names a field twice.",
        "Look at `detail`: it says where reading stopped. In a shell, put the JSON between single quotes.",
    ),
    "unauthenticated": Meaning(
        "There is no API key, or the key is unknown or was revoked.",
        "Send the header `Authorization: Bearer ch_…` with a whole key. If it was revoked, create another one.",
    ),
    "forbidden": Meaning(
        "The key is good, but its scope or its role does not allow this.",
        "Use a key of a wider scope, or ask an admin of the organization. `detail` names the role and the scope.",
    ),
    "not-found": Meaning(
        "There is no such path, or no such thing in this organization. Another one's things are not found either.",
        "Check the id, and that the key belongs to the same organization.",
    ),
    "method-not-allowed": Meaning(
        "The path is right, but it does not take this method.",
        "The header `Allow` of the answer names the methods that it takes.",
    ),
    "conflict": Meaning(
        "It conflicts with what is there: a name is taken, a cron is archived, a dependency would make a cycle.",
        "Look at `detail`: it says what it conflicts with. Choose another name, or change what is there first.",
    ),
    "blocked": Meaning(
        "A start was blocked: a cron that this one depends on is not completed.",
        "The job should not run now. `blocked_by` names the dependencies and says why each is not completed. The "
        "refusal is recorded; the start is accepted as soon as they are completed.",
    ),
    "gone": Meaning(
        "The invitation was used, was revoked, or has expired.",
        "Ask for a new invitation. Inviting the same address again replaces the old one.",
    ),
    "too-large": Meaning(
        "The body is over its limit: 100 KB, or 1 MB for a register call.",
        "Send less in one call; register a service's crons in several calls. Signals have no limit: of a long "
        "output the beginning and the end are kept.",
    ),
    "unsupported-media-type": Meaning(
        "The body is not sent as JSON, or it is packed.",
        "Send the header `Content-Type: application/json`, and no `Content-Encoding`.",
    ),
    "invalid": Meaning(
        "The request can be read, but fields of it are wrong, unknown or missing.",
        "`errors` names every wrong field at once and says what each must be. Nothing was changed.",
    ),
    "throttled": Meaning(
        "There were too many requests from this address, or for this cron.",
        "Wait as many seconds as the header `Retry-After` says, then try again.",
    ),
    "internal-error": Meaning(
        "Something went wrong on our side. It was logged.",
        "Try again. If it happens again, tell those who run this CronHub when it happened and what you sent.",
    ),
    "unavailable": Meaning(
        "The database does not answer, or too many requests change the same thing at once.",
        "Wait as many seconds as the header `Retry-After` says, then send the same request again. A signal that "
        "is sent twice counts once.",
    ),
}
