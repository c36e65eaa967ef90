"""The pages of projects, and of the org's own settings."""

from chalice.app import Response

from chalicelib.api.http.reading import read
from chalicelib.api.pages.form import shown, without_prefix
from chalicelib.api.pages.visit import READS, WRITES, Visit, page, redirect, signed_out_headers
from chalicelib.api.schemas.orgs import ChangeOrg, ReportIn
from chalicelib.api.schemas.projects import ChangeProject, CreateProject
from chalicelib.domain.accounts.org import Org
from chalicelib.domain.accounts.permissions import Action
from chalicelib.domain.alerts import wording
from chalicelib.domain.errors import CronHubError, FieldError, Invalid
from chalicelib.services import access, channels, orgs, projects
from chalicelib.services.paging import Page

_SWITCHES = ("keyless_signals", "first_contact")


@page(READS, "/projects")
def projects_page(visit: Visit) -> Response:
    """The projects of the org"""
    return _projects(visit, None)


def _projects(visit: Visit, error: CronHubError | None) -> Response:
    found, _ = projects.list_projects(visit.org_id, Page(1000))
    changed = visit.form.text("id") if error else ""
    return visit.page(
        "settings/projects.html",
        {
            "projects": found,
            "changed": changed,
            "values": visit.form.values() if error else {},
        },
        error,
    )


@page(WRITES, "/projects", action=Action.CHANGE)
def change_projects(visit: Visit) -> Response:
    """Creates, changes or deletes a project"""
    form = visit.form
    given = {"name": form.text("name"), "description": form.text("description")}
    try:
        match form.text("do"):
            case "create":
                wanted = read(CreateProject, given)
                projects.create(visit.org_id, wanted.name, wanted.description, visit.call.now)
                return visit.to("projects", "created")
            case "change":
                changes = read(ChangeProject, given)
                projects.change(
                    visit.org_id, form.text("id"), projects.ProjectChanges(changes.name, changes.description)
                )
                return visit.to("projects", "saved")
            case "delete":
                projects.delete(visit.org_id, form.text("id"))
                return visit.to("projects", "deleted")
    except CronHubError as error:
        return _projects(visit, error)
    return visit.to("projects")


@page(READS, "/settings")
def settings_page(visit: Visit) -> Response:
    """The settings of the org"""
    return _settings(visit, None)


def _settings(visit: Visit, error: CronHubError | None) -> Response:
    org, form = visit.org, visit.form
    sent = form.text("do") if error else ""
    chosen = form.all("channel_ids") if sent == "report" else org.report.channel_ids
    switches = {name: form.is_set(name) if sent == "change" else getattr(org, name) for name in _SWITCHES}
    report = {**org.report._asdict(), "every": org.report.every.value}
    own = {"name": org.name, "slug": org.slug, **shown(report)}
    return visit.page(
        "settings/settings.html",
        {
            "values": {**own, **(form.values() if error else {})},
            "switches": switches,
            "channels": [(one, one.id in chosen) for one in channels.list_channels(visit.org_id, Page(1000))[0]],
            "next_report": _due_words(org),
        },
        without_prefix(error, "report."),
    )


def _due_words(org: Org) -> str | None:
    return None if org.report_at is None else wording.local(org.report_at, org.report.timezone)


@page(WRITES, "/settings", action=Action.ADMIN)
def change_settings(visit: Visit) -> Response:
    """Changes the org or its report, or deletes the org"""
    try:
        match visit.form.text("do"):
            case "change":
                _change_org(visit)
            case "report":
                _change_report(visit)
            case "delete":
                return _delete_org(visit)
            case _:
                return visit.to("settings")
    except CronHubError as error:
        return _settings(visit, error)
    return visit.to("settings", "saved")


def _change_org(visit: Visit) -> None:
    form = visit.form
    switches = {name: form.is_set(name) for name in _SWITCHES}
    wanted = read(ChangeOrg, {"name": form.text("name"), "slug": form.text("slug"), **switches})
    changes = orgs.OrgChanges(wanted.name, wanted.slug, wanted.first_contact, wanted.keyless_signals)
    orgs.change_org(visit.org.slug, visit.key, changes, visit.call.now)


def _delete_org(visit: Visit) -> Response:
    access.require(visit.key, Action.OWN)
    if visit.form.text("confirmation") != visit.org.slug:
        raise Invalid(FieldError("confirmation", "must repeat the slug of the organization to delete"))
    orgs.delete_org(visit.org.slug, visit.key)
    return redirect(visit.call, "?done=deleting", signed_out_headers(visit.call))


def _change_report(visit: Visit) -> None:
    form = visit.form
    given = {
        "every": form.text("every"),
        "day": form.number("day"),
        "hour": form.number("hour"),
        "timezone": form.text("timezone"),
        "channel_ids": form.all("channel_ids"),
    }
    changes = orgs.OrgChanges(report=read(ReportIn, given).plan())
    orgs.change_org(visit.org.slug, visit.key, changes, visit.call.now)
