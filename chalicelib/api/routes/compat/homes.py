"""Where the crons that each protocol's clients make are put: product and service."""

from chalicelib.services.first_contact import Home

_PRODUCT = "default"
HEALTHCHECKS = Home(_PRODUCT, "healthchecks")
CRONITOR = Home(_PRODUCT, "cronitor")


def sentry_home(project: str) -> Home:
    """Two projects may have one slug: each has a service of its own."""
    return Home("sentry", f"project {project}", apart=True)
