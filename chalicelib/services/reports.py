"""Weekly and monthly reports.

The tick puts a report into the outbox when it is due, without words: that is one small write. `notify`
finds it like any alert, reads what it tells of, keeps the words in the outbox, and sends it. So a report is
sent as an alert is, a crash loses none, and an org with many crons delays no detection.
"""

import logging
import time
from collections import Counter
from datetime import datetime, timedelta

from chalicelib.domain.accounts.org import Org
from chalicelib.domain.accounts.report_plan import next_report, period_began
from chalicelib.domain.alerts.alert import Alert
from chalicelib.domain.alerts.outbox import Outgoing
from chalicelib.domain.alerts.report import Findings, Span, report_of
from chalicelib.domain.alerts.system_notice import report_due
from chalicelib.domain.errors import CronHubError, FieldError, Invalid
from chalicelib.domain.monitor.cron import Cron
from chalicelib.domain.monitor.event import EventKind
from chalicelib.domain.runs.counts import sum_counts
from chalicelib.domain.runs.sla import Sla, sla_of
from chalicelib.services import clock
from chalicelib.store import alerts, orgs, queue, report_times
from chalicelib.store.channels import channels_of_org
from chalicelib.store.crons import crons_of_org
from chalicelib.store.daily_counts import days_between
from chalicelib.store.incidents import incidents_since
from chalicelib.store.org_moments import OrgMoment

log = logging.getLogger("cronhub.reports")

_SLA_DAYS = 30
#: Bounds what a report reads: the latest incidents of 30 days, and the days of the crons with the most of them.
MOST_INCIDENTS = 2000
MOST_SLAS = 100


def planned(org: Org, now: datetime) -> Org:
    """An org with a new plan, and when its next report is due, which is noted before the org is written.

    Raises Invalid.
    """
    _check(org)
    at = next_report(org.report, now)
    if at is not None:
        report_times.note(OrgMoment(org.id, at))
    return org._replace(report_at=at)


def _check(org: Org) -> None:
    plan = org.report
    if plan.day > plan.most_days:
        raise Invalid(FieldError("report.day", f"must be 1 to {plan.most_days} for a {plan.every.value} report"))
    known = {channel.id for channel in channels_of_org(org.id)} if plan.channel_ids else set()
    for place, channel_id in enumerate(plan.channel_ids):
        if channel_id not in known:
            raise Invalid(FieldError(f"report.channel_ids[{place}]", "no such channel"))


def go_on(now: datetime, budget_seconds: float = 5.0) -> None:
    """Puts the reports that are due into the outbox. One read where there are none."""
    until = time.monotonic() + budget_seconds
    keys = []
    for due in report_times.due(now):
        if time.monotonic() >= until:
            break
        try:
            keys += _put(due, now)
        except CronHubError:
            log.exception("the report of org %s waits for the next tick", due.org_id)
    if keys:
        queue.wake(keys)


def _put(due: OrgMoment, now: datetime) -> list[tuple[str, str]]:
    """Each step may be made again: the report has the same id each time."""
    org = orgs.find_org(due.org_id)
    if org is None or org.report_at != due.at:
        report_times.forget(due)
        return []
    since, following = period_began(org.report, due.at), next_report(org.report, now)
    if since is None or following is None:
        report_times.forget(due)
        return []
    span = Span(since, due.at, org.report.timezone, org.report.every.value.capitalize())
    notice = report_due(org.id, span, org.report.channel_ids)
    alerts.put_notice(notice)
    report_times.note(OrgMoment(org.id, following))
    report_times.move_on(due, following)
    report_times.forget(due)
    return [notice.key]


def is_unwritten(alert: Alert) -> bool:
    return alert.kind is EventKind.REPORT and not alert.detail


def written(one: Outgoing) -> Outgoing | None:
    """With its words, which are kept: each channel gets the same. None: its org is gone."""
    alert = one.alert
    org = orgs.find_org(alert.org_id)
    if org is None or alert.about is None:
        alerts.settle(one, None)
        return None
    span = Span(alert.about, alert.at, alert.timezone, alert.name)
    report = report_of(org.name, span, _findings(org.id, span.since))
    return alerts.write_words(one, report.title, report.text)


def _findings(org_id: str, since: datetime) -> Findings:
    """Reads a bounded number of items, however many crons there are."""
    now = clock.now()
    crons = list(crons_of_org(org_id))
    earliest = min(since, now - timedelta(days=_SLA_DAYS))
    incidents = incidents_since(org_id, earliest, MOST_INCIDENTS)
    worst = Counter(one.incident.cron_id for one in incidents).most_common(MOST_SLAS)
    known = {cron.id: cron for cron in crons}
    slas = {cron_id: _sla(known[cron_id], now) for cron_id, _ in worst if cron_id in known}
    return Findings(crons, incidents, slas, len(incidents) == MOST_INCIDENTS)


def _sla(cron: Cron, now: datetime) -> Sla:
    today = now.date()
    stored = days_between(cron.id, today - timedelta(days=_SLA_DAYS - 1), today)
    held = [] if cron.today is None else [cron.today]
    days = [*(day for day in stored if not held or day.day != held[0].day), *held]
    return sla_of(sum_counts(day.counts for day in days), cron.settings.sla_target)
