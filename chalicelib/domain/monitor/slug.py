"""A cron's slug: what clients call it where they know a key and no id."""

import re
import unicodedata

from chalicelib.domain.monitor.cron import Cron

LONGEST_SLUG = 100
#: The environment whose crons have the plain slug.
USUAL_ENVIRONMENT = "production"
_APART = "@"


def slug_of(cron: Cron) -> str | None:
    """Returns what was set, else what its name makes; None where the name has no letter or digit of ASCII."""
    given = cron.settings.slug
    return (slug_from(cron.name) if given is None else given) or None


def slug_from(name: str) -> str:
    """`Nightly backup` → `nightly-backup`, as Healthchecks and Sentry make slugs."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    kept = re.sub(r"[^\w\s-]", "", plain.lower())
    return re.sub(r"[-\s]+", "-", kept).strip("-_")[:LONGEST_SLUG]


def slug_in(slug: str, environment: str) -> str:
    """The slug of a job's cron in an environment: each environment has a cron of its own."""
    is_usual = environment in ("", USUAL_ENVIRONMENT)
    return slug if is_usual else f"{slug[:LONGEST_SLUG]}{_APART}{slug_from(environment) or 'other'}"


def job_and_environment(slug: str) -> tuple[str, str]:
    """The other way round: the job's own slug, and the environment."""
    job, _, environment = slug.partition(_APART)
    return job, environment or USUAL_ENVIRONMENT
