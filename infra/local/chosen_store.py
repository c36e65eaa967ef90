"""Which store a part works on: the embedded one, unless AWS_ENDPOINT_URL names another."""

import os
from functools import cache

from infra.local.folder import store_file

_ENDPOINTS = ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL")
# No part asks AWS for anything but what a channel needs, so no machine's role is looked for by itself.
_DEFAULTS = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}


def endpoint() -> str | None:
    """The address of another store; None: the embedded one is used."""
    return next((os.environ[name] for name in _ENDPOINTS if os.environ.get(name)), None)


@cache
def use(*, sweep: bool = False) -> None:
    """Has this process work on the chosen store. sweep: delete what has expired; one part is enough for that.

    Raises StoreFileError, whose message names the file, where it is damaged, foreign or newer.
    """
    if endpoint() is not None:
        return
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    from infra.local.store import install

    install(store_file(), sweep=sweep)
