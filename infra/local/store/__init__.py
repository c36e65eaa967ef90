"""DynamoDB and SQS in one SQLite file, answered in the process that asks: no server, no port.

    from infra.local.store import install
    install(Path(".local/cronhub.db"))

From then on pynamodb, and boto3's clients for DynamoDB and SQS, work on that file. Several processes may.
"""

from infra.local.store.backup import backup, restore
from infra.local.store.errors import StoreError, StoreFileError
from infra.local.store.seam import Installed, install
from infra.local.store.service import Store

__all__ = ["Installed", "Store", "StoreError", "StoreFileError", "backup", "install", "restore"]
