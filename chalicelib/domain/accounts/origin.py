"""Web origins whose pages may read an org's data (Fetch standard, "CORS protocol")."""

import re

#: How many an org may allow.
MOST_ORIGINS = 20
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_SECURE = re.compile(rf"https://({_LABEL}\.)*{_LABEL}(:(?P<port>[1-9][0-9]{{0,4}}))?")
_LOCAL = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])(:(?P<port>[1-9][0-9]{0,4}))?")
_DEFAULT_PORTS = {"https": "443", "http": "80"}
_LONGEST = 300


def is_origin(text: str) -> bool:
    """Whether it is an origin as browsers send it: https anywhere, or http on the reader's own machine."""
    if len(text) > _LONGEST:
        return False
    found = _SECURE.fullmatch(text) or _LOCAL.fullmatch(text)
    if found is None:
        return False
    port = found["port"]
    return port is None or (int(port) < 65536 and port != _DEFAULT_PORTS[text.partition(":")[0]])
