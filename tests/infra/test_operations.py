"""What docs/operations.md says in names and numbers, against what is deployed."""

import json
import re
from functools import cache
from itertools import product

import pytest

from chalicelib.services.evaluate import BUDGET_SECONDS, HANDED_OVER_FROM
from chalicelib.store.alerts import KEPT
from chalicelib.store.tables import MODELS
from chalicelib.telemetry import NAMESPACE
from infra.deploy.api import OTHERS_A_SECOND, SIGNALS_A_SECOND
from infra.deploy.parameters import PARAMETERS, RESERVED
from infra.deploy.policies import ACCESS, short_name
from infra.deploy.stages import STAGES
from infra.deploy.tables import table_name
from infra.deploy.template import ROOT, template

DOCUMENT = (ROOT / "docs" / "operations.md").read_text()
#: Read by the functions or by `make run`, and no parameters of the template.
NO_PARAMETERS = {
    "CRONHUB_BUCKET",
    "CRONHUB_TRANSPORT",
    "CRONHUB_TRUST_PROXY",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_DYNAMODB",
}


def section(heading: str) -> str:
    return DOCUMENT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def first_cells(heading: str) -> list[str]:
    rows = [line for line in section(heading).splitlines() if line.startswith("| `")]
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row.split(" | ")[0])]


@cache
def alarms() -> set[str]:
    resources = template(STAGES["prod"])["Resources"].values()
    named = [one["Properties"]["AlarmName"] for one in resources if one.get("Type") == "AWS::CloudWatch::Alarm"]
    return {name["Fn::Sub"].removeprefix("${Prefix}-") for name in named}


def test_every_alarm_is_explained_and_every_explained_one_is_there() -> None:
    functions = [short_name(function) for function in ACCESS]
    explained = set[str]()
    for name in first_cells("Watching CronHub itself"):
        if name.startswith("{function}"):
            explained |= {name.replace("{function}", function) for function in functions}
        elif name.startswith("{table}"):
            explained |= {one for one in alarms() if "-throttled-" in one}
        elif not name.startswith("-"):
            explained.add(name)

    assert explained == alarms()


def test_every_metric_of_the_dashboard_is_named() -> None:
    body = template(STAGES["prod"])["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    metrics = [metric for widget in json.loads(body)["widgets"] for metric in widget["properties"]["metrics"]]
    shown = {metric[1] for metric in metrics if metric[0] == NAMESPACE}
    said = section("Watching CronHub itself").partition("**The dashboard**")[2].partition("\n- ")[0]
    named = set(re.findall(r"`([a-z_*]+)`", said))

    assert named == {one for one in shown if not one.startswith("signals_")} | {"signals_*"}


def test_every_setting_is_in_the_table() -> None:
    assert set(first_cells("Settings")) == {each.variable for each in PARAMETERS} | NO_PARAMETERS


def test_the_tables_are_counted_and_all_of_them_are_restored() -> None:
    names = {table_name(model) for model in MODELS}
    expiring = {table_name(model) for model in MODELS if model._ttl_attribute() is not None}
    restoring = section("Backing up and restoring")
    restored = restoring.partition("for table in ")[2].partition("; do")[0].replace("\\\n", " ").split()
    with_ttl = re.search(r"the first for ([^:]+):", restoring)

    assert f"| tables | {len(names)}, " in DOCUMENT
    assert sorted(restored) == sorted(names)
    assert with_ttl is not None
    assert set(re.findall(r"\w+", with_ttl.group(1))) - {"and"} == expiring


@pytest.mark.parametrize("name", STAGES)
def test_the_stages_are_as_the_table_says(name: str) -> None:
    stage = STAGES[name]
    [row] = [line for line in DOCUMENT.splitlines() if line.startswith(f"| `{name}` |")]

    assert f"| `{stage.prefix}` |" in row
    assert row.endswith(f"| {stage.log_days} days |")


def test_the_limits_that_are_named_are_those_that_hold() -> None:
    assert KEPT.days == 90
    assert (HANDED_OVER_FROM, BUDGET_SECONDS) == (500, 45)
    assert [RESERVED[name] for name in ("tick", "evaluate", "notify")] == [2, 16, 20]
    assert f"Have the quota raised to {100 + sum(RESERVED.values())} or more" in DOCUMENT
    assert (SIGNALS_A_SECOND, OTHERS_A_SECOND) == (2000, 100)
    for said in (
        "2 of the functions that an account may run at once are reserved for `tick`,",
        "16 for `evaluate` and 20 for `notify`",
        "over 2,000 requests a second for each ping route and 100 for each other one",
        "A tick with up to 500 due crons",
        "`tick` and `evaluate`, 45 s of their 60",
    ):
        assert said in DOCUMENT


def test_a_month_of_alarms_costs_what_is_said() -> None:
    dollars = len(alarms()) / 10

    assert f"They cost some ${dollars:.0f} a month" in DOCUMENT


def test_names_of_throttled_tables_follow_one_form() -> None:
    hot = {"crons", "crons-due", "runs", "rollups", "alerts"}

    assert {one for one in alarms() if "-throttled-" in one} == {
        f"{table}-throttled-{kind}s" for table, kind in product(hot, ("read", "write"))
    }
