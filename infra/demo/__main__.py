"""Makes the demonstration in a state of its own, and runs CronHub on it."""

import os
import secrets
import sys
import time
from datetime import UTC, datetime, timedelta

from chalicelib.domain import ids
from chalicelib.domain.accounts.api_key import KEY_LENGTH, ApiKey, key_hash, key_text
from chalicelib.domain.accounts.org import Org
from chalicelib.domain.accounts.permissions import Scope
from chalicelib.domain.monitor.maintenance import MaintenanceWindow
from infra.local.folder import ROOT, STATE

_SEED = 7
_SLUG = "demo"


def main() -> int:
    # Beside the state of `make run`, never in it.
    os.environ.setdefault(STATE, str(ROOT / ".local" / "demo"))
    # A demonstration sends no mail.
    os.environ.pop("CRONHUB_MAIL", None)
    from infra.local import chosen_store
    from infra.local.tables import make_tables

    chosen_store.use()
    make_tables()
    key = make(datetime.now(UTC).replace(microsecond=0))
    print(
        "demo   the organization is made; sign in with this key:", key or "(made before: the key was shown then)"
    )
    sys.stdout.flush()
    if "--only" not in sys.argv:
        # In this process's place, so that what stops the demonstration stops all of it.
        os.execv(sys.executable, [sys.executable, "-m", "infra.local"])  # noqa: S606 - our own program
    return 0


def make(now: datetime) -> str | None:
    """Returns the key; None where the organization is there already."""
    from infra.demo import people, store
    from infra.demo.fleet import live

    began = time.monotonic()
    org = Org(ids.org_id(secrets.token_bytes(6)), _SLUG, "Demo Ltd", now - timedelta(days=90))
    text = key_text([secrets.randbelow(62) for _ in range(KEY_LENGTH)])
    hashed = key_hash(text)
    key = ApiKey(ids.timed_id(now, secrets.token_bytes(10)), org.id, "demo", Scope.FULL, now, hashed=hashed)
    if not store.save_org(org, key, hashed):
        return None
    windows = _windows(org.id, now)
    lives = live(org.id, _SEED, now, windows)
    store.save(org.id, lives, windows, now)
    people.save(org, key, lives, now)
    runs = sum(len(life.runs) for life in lives)
    print(f"demo   {len(lives)} crons, {runs} runs, {time.monotonic() - began:.0f} s")
    return text


def _windows(org_id: str, now: datetime) -> list[MaintenanceWindow]:
    def window(name: str, **fields: object) -> MaintenanceWindow:
        made = MaintenanceWindow(
            org_id, ids.timed_id(now, secrets.token_bytes(10)), name, now - timedelta(days=80)
        )
        return made._replace(**fields)  # type: ignore[arg-type]

    return [
        window(
            "Certificate authority moves",
            product="Platform",
            service="certificates",
            starts_at=now - timedelta(hours=1),
            ends_at=now + timedelta(hours=2),
        ),
        window(
            "Warehouse vacuum", schedule="30 3 * * 0", duration_minutes=120, product="Data", service="warehouse"
        ),
        window("Nightly deploys", schedule="0 22 * * 1-5", duration_minutes=30, tags=("eu",)),
    ]


if __name__ == "__main__":
    sys.exit(main())
