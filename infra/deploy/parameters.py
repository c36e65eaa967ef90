"""What a deployment is told: each a variable in the environment of `make deploy`, and a parameter of the
template."""

from typing import NamedTuple

from infra.deploy.cfn import Json, is_given, is_on
from infra.deploy.stages import Stage


class Parameter(NamedTuple):
    variable: str
    name: str
    says: str
    #: Whether the functions are given it too, under the same variable.
    goes_on: bool = True
    pattern: str = ""
    is_secret: bool = False


PREFIX = Parameter(
    "CRONHUB_PREFIX",
    "Prefix",
    "What the name of every table, queue and function begins with",
    pattern="[A-Za-z][A-Za-z0-9-]{0,39}",
)
BASE_URL = Parameter(
    "CRONHUB_BASE_URL",
    "BaseUrl",
    "The API's public address, where it is not that of Domain or of API Gateway",
    goes_on=False,
    pattern="(https?://[^/?#]+(/[^?#]*)?)?",
)
DOMAIN = Parameter(
    "CRONHUB_DOMAIN",
    "Domain",
    "A domain of your own for the API; needs CertificateArn",
    goes_on=False,
    pattern=r"([a-z0-9-]+(\.[a-z0-9-]+)+)?",
)
CERTIFICATE = Parameter(
    "CRONHUB_CERTIFICATE_ARN",
    "CertificateArn",
    "The certificate of Domain, in the same region",
    goes_on=False,
    pattern="(arn:[a-z-]+:acm:.+)?",
)
ALARM_ADDRESS = Parameter(
    "CRONHUB_ALARM_ADDRESS",
    "AlarmAddress",
    "The e-mail address that alarms about CronHub itself go to",
    goes_on=False,
    pattern="([^@ ]+@[^@ ]+)?",
)
KEYLESS_RATE = Parameter(
    "CRONHUB_KEYLESS_RATE",
    "KeylessRate",
    "How many requests a second each ping route takes; 2000 unless given",
    goes_on=False,
    pattern="([1-9][0-9]{0,4})?",
)
RESERVE = Parameter(
    "CRONHUB_RESERVE",
    "Reserve",
    "off: no concurrency is reserved, for an account that may run few functions at once",
    goes_on=False,
    pattern="(on|off)?",
)
#: What is then kept for these functions, and at most used by them: an API flood cannot take it.
#: Two ticks can overlap, and each of the 16 shards of a backlog is worked off by itself.
RESERVED = {"tick": 2, "evaluate": 16, "notify": 20}
ACCESS_LOG = Parameter(
    "CRONHUB_ACCESS_LOG",
    "AccessLog",
    "off: the API's requests are not logged one by one",
    goes_on=False,
    pattern="(on|off)?",
)
PARAMETERS = (
    PREFIX,
    BASE_URL,
    DOMAIN,
    CERTIFICATE,
    ALARM_ADDRESS,
    KEYLESS_RATE,
    RESERVE,
    ACCESS_LOG,
    Parameter("CRONHUB_MAIL", "Mail", "How mail is sent: ses:FROM, smtp://…, smtps://…", is_secret=True),
    Parameter(
        "CRONHUB_SELF_PING_URL",
        "SelfPingUrl",
        "A URL that is requested at the end of each good tick, so that another service watches CronHub",
        pattern="(https?://.+)?",
        is_secret=True,
    ),
    Parameter(
        "CRONHUB_LOOK_EVERY_SECONDS",
        "LookEverySeconds",
        "How often, in seconds, a tick looks again inside its minute; empty or 0: it does not",
        pattern="([0-9]|[12][0-9]|30)?",
    ),
    Parameter(
        "CRONHUB_DUE_SHARDS",
        "DueShards",
        "How many shards of the index of what is due crons are written to; empty: 16",
        pattern="([1-9][0-9]{0,2}|1[0-9]{3}|20[0-3][0-9]|204[0-8])?",
    ),
    Parameter("CRONHUB_THROTTLE", "Throttle", "off: routes without a key are not throttled", pattern="(on|off)?"),
    Parameter(
        "CRONHUB_ALLOW_PRIVATE_TARGETS",
        "AllowPrivateTargets",
        "1: channels may lead to private addresses",
        pattern="(0|1)?",
    ),
)

# They have conditions of their own below, or none.
_OTHERWISE_ASKED = (PREFIX, DOMAIN, CERTIFICATE, RESERVE, ACCESS_LOG)
CONDITIONS: Json = {
    **{f"Has{each.name}": is_given(each.name) for each in PARAMETERS if each not in _OTHERWISE_ASKED},
    "Reserves": is_on(RESERVE.name),
    "LogsAccess": is_on(ACCESS_LOG.name),
    "HasDomain": {"Fn::And": [is_given(DOMAIN.name), is_given(CERTIFICATE.name)]},
}


def parameters(stage: Stage) -> Json:
    return {each.name: _parameter(each, stage.prefix if each is PREFIX else "") for each in PARAMETERS}


def _parameter(one: Parameter, default: str) -> Json:
    shape: Json = {"Type": "String", "Description": one.says, "Default": default}
    if one.pattern:
        shape["AllowedPattern"] = f"^{one.pattern}$"
        shape["ConstraintDescription"] = f"must be {one.says[0].lower()}{one.says[1:]}"
    if one.is_secret:
        shape["NoEcho"] = True
    return shape
