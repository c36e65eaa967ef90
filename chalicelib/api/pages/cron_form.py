"""A cron as a form has it, and what the form means."""

from typing import Any

from chalicelib.api.http.reading import read
from chalicelib.api.pages.form import Form, span_text
from chalicelib.api.schemas.crons import ChangeCron, RegisterCrons
from chalicelib.domain.monitor.cron import Cron, Settings

_SERVICE = "jobs"


def cron_values(cron: Cron | None) -> dict[str, str]:
    """The fields of the form; of a new cron with the usual values."""
    held = cron.settings if cron else Settings()
    return {
        "product": cron.product if cron else "",
        "service": cron.service if cron else "",
        "name": cron.name if cron else "",
        "schedule": held.schedule or "",
        "timezone": held.timezone,
        "description": held.description,
        "grace_seconds": span_text(held.grace_seconds),
        "max_runtime_seconds": span_text(held.max_runtime_seconds),
        "reminder_seconds": span_text(held.reminder_seconds),
        "anomaly_factor": f"{held.anomaly_factor:g}",
        "failure_tolerance": str(held.failure_tolerance),
        "recovery_threshold": str(held.recovery_threshold),
        "sla_target": f"{held.sla_target:g}",
        "tags": ", ".join(held.tags),
        "project_id": held.project_id or "",
    }


def new_cron_of(form: Form, usual_product: str) -> RegisterCrons:
    """Raises Invalid."""
    cron = {"name": form.text("name"), **_settings(form)}
    product, service = form.text("product") or usual_product, form.text("service") or _SERVICE
    return read(RegisterCrons, {"product": product, "service": service, "crons": [cron]})


def changes_of(form: Form) -> ChangeCron:
    """Raises Invalid."""
    names = {name: form.text(name) for name in ("product", "service", "name")}
    return read(ChangeCron, {**names, **_settings(form)})


def _settings(form: Form) -> dict[str, Any]:
    """What the form names; an empty field stands for the usual value."""
    found: dict[str, Any] = {"schedule": form.optional("schedule"), "timezone": form.optional("timezone")}
    if "description" in form:
        found["description"] = form.text("description")
    for name in ("grace_seconds", "max_runtime_seconds", "reminder_seconds"):
        found[name] = form.seconds(name)
    for name in ("anomaly_factor", "failure_tolerance", "recovery_threshold", "sla_target"):
        found[name] = form.number(name)
    found["tags"] = form.words("tags")
    found["project_id"] = form.optional("project_id")
    return found
