"""Long answers that are the same for everybody are sent packed, where the browser takes it.

API Gateway turns Base64 back into bytes only for a request whose `Accept` begins with one of its binary types.
Browsers that open a page begin with text/html; all others get the text as it is.
Nothing of somebody signed in is packed: beside a secret, the length of what an attacker put there gives it away.
"""

import base64
import gzip
from typing import Any

from chalice.app import Response

from chalicelib.api.http.request import Call

#: What API Gateway has to take for binary, besides what the app takes.
PACKED_TYPE = "text/html"
#: Below this, packing saves no packet.
_LEAST_BYTES = 1400


class Packed(Response):
    """Chalice would choose by the media type alone whether a body is binary."""

    def to_dict(self, binary_types: list[str] | None = None) -> dict[str, Any]:  # noqa: ARG002 - Chalice's signature
        answer: dict[str, Any] = super().to_dict()
        return {**answer, "body": base64.b64encode(self.body).decode("ascii"), "isBase64Encoded": True}


def packed(call: Call, response: Response) -> Response:
    """A page, packed if that helps and the caller takes it."""
    vary = response.headers.get("Vary")
    response.headers["Vary"] = f"{vary}, Accept-Encoding" if vary else "Accept-Encoding"
    data = str(response.body).encode()
    if len(data) < _LEAST_BYTES or not _takes_gzip(call) or not _takes_bytes(call):
        return response
    headers = {**response.headers, "Content-Encoding": "gzip"}
    # No time in it: the same page is the same bytes.
    return Packed(gzip.compress(data, compresslevel=6, mtime=0), headers, response.status_code)


def _takes_gzip(call: Call) -> bool:
    for part in str(call.request.headers.get("accept-encoding", ""))[:1000].split(","):
        name, _, weight = part.partition(";")
        if name.strip().lower() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _takes_bytes(call: Call) -> bool:
    first = str(call.request.headers.get("accept", "")).partition(",")[0]
    return first.partition(";")[0].strip().lower() == PACKED_TYPE
