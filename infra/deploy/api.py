"""What is added to the API that Chalice describes: its names, its throttle, its log."""

import json

from chalice.app import APIGateway

from chalicelib.api.http.packing import PACKED_TYPE
from chalicelib.api.http.route import BINARY, Route
from chalicelib.api.routes import ROUTES
from infra.deploy.cfn import NOTHING, Json, either, ref, resource, sub
from infra.deploy.parameters import KEYLESS_RATE
from infra.deploy.stages import Stage

#: How many requests a second each method of a route without a key takes: of signals unless it is set, of others.
SIGNALS_A_SECOND = 2000
OTHERS_A_SECOND = 100
# Its path as it was declared: the path that was asked for may hold an id, which lets signal.
_LOGGED = {
    "request_id": "$context.requestId",
    "ip": "$context.identity.sourceIp",
    "time": "$context.requestTime",
    "method": "$context.httpMethod",
    "route": "$context.resourcePath",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "ms": "$context.responseLatency",
    "function_ms": "$context.integration.latency",
    "error": "$context.error.responseType",
}
_NO_SNIFF = {"gatewayresponse.header.X-Content-Type-Options": "'nosniff'"}
_PROBLEM = {**_NO_SNIFF, "gatewayresponse.header.Content-Type": "'application/problem+json'"}


def public_address(stage: Stage) -> Json:
    own = sub(f"https://${{RestAPI}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/{stage.name}")
    return either("HasBaseUrl", ref("BaseUrl"), either("HasDomain", sub("https://${Domain}"), own))


def api(stage: Stage) -> Json:
    """The API under the prefix's name, and under a domain of its own where one is given."""
    return {
        "RestAPI": {
            "Properties": {
                # Without it the transform makes a second stage, called Stage.
                "OpenApiVersion": "2.0",
                "DefinitionBody": {
                    "info": {"title": ref("Prefix")},
                    "x-amazon-apigateway-gateway-responses": _own_answers(),
                    # Chalice's list, and the pages that are packed.
                    "x-amazon-apigateway-binary-media-types": [*APIGateway().binary_types, *BINARY, PACKED_TYPE],
                },
                "MethodSettings": _throttles(),
                "AccessLogSetting": either("LogsAccess", _access_log_setting(), NOTHING),
            },
        },
        **_access_log(stage),
        **_domain(),
    }


def _own_answers() -> Json:
    """What API Gateway answers by itself, in the form of all other answers."""
    return {
        "DEFAULT_4XX": {"responseParameters": _NO_SNIFF},
        "DEFAULT_5XX": {"responseParameters": _NO_SNIFF},
        "MISSING_AUTHENTICATION_TOKEN": {
            "statusCode": 404,
            "responseParameters": _PROBLEM,
            "responseTemplates": _problem(404, "Not Found", "There is nothing at this path."),
        },
        "THROTTLED": {
            "statusCode": 429,
            "responseParameters": {**_PROBLEM, "gatewayresponse.header.Retry-After": "'2'"},
            "responseTemplates": _problem(429, "Too Many Requests", "Too many requests at once; please retry."),
        },
    }


def _problem(status: int, title: str, detail: str) -> Json:
    problem = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return {"application/json": json.dumps(problem)}


def _throttles() -> list[Json]:
    """Of each route that works without a key: a flood of them must not use up the account's functions."""
    return [
        {
            "HttpMethod": method,
            "ResourcePath": "/" + one.path.replace("/", "~1") if one.path != "/" else "/",
            "ThrottlingRateLimit": _rate(one),
            "ThrottlingBurstLimit": _rate(one),
        }
        for one in ROUTES
        if one.public
        for method in one.methods
    ]


def _rate(one: Route) -> Json | int:
    if not one.is_signal:
        return OTHERS_A_SECOND
    return either(f"Has{KEYLESS_RATE.name}", ref(KEYLESS_RATE.name), SIGNALS_A_SECOND)


def _access_log_setting() -> Json:
    group = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${ApiAccessLog}"
    return {"DestinationArn": sub(group), "Format": json.dumps(_LOGGED)}


def _access_log(stage: Stage) -> Json:
    """One line a request; and the account's leave to write it, which stays when the stack goes.

    That leave is one for all APIs of the account in the region: others may have come to need it.
    """
    kept = {"Condition": "LogsAccess", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    by_gateway = {
        "Effect": "Allow",
        "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    writing = "arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
    return {
        "ApiAccessLog": resource(
            "Logs::LogGroup",
            {"LogGroupName": sub("/aws/apigateway/${Prefix}"), "RetentionInDays": stage.log_days},
            # The stage names this log, and is refused before the account may write it.
            DependsOn=["ApiAccount"],
            Condition="LogsAccess",
            DeletionPolicy="Delete",
            UpdateReplacePolicy="Delete",
        ),
        "ApiLogRole": resource(
            "IAM::Role",
            {
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [by_gateway]},
                "ManagedPolicyArns": [sub(writing)],
            },
            **kept,
        ),
        "ApiAccount": resource(
            "ApiGateway::Account", {"CloudWatchRoleArn": {"Fn::GetAtt": ["ApiLogRole", "Arn"]}}, **kept
        ),
    }


def _domain() -> Json:
    return {
        "ApiDomain": resource(
            "ApiGateway::DomainName",
            {
                "DomainName": ref("Domain"),
                "RegionalCertificateArn": ref("CertificateArn"),
                "EndpointConfiguration": {"Types": ["REGIONAL"]},
                "SecurityPolicy": "TLS_1_2",
            },
            Condition="HasDomain",
        ),
        "ApiDomainMapping": resource(
            "ApiGateway::BasePathMapping",
            {"DomainName": ref("ApiDomain"), "RestApiId": ref("RestAPI"), "Stage": ref("RestAPI.Stage")},
            Condition="HasDomain",
        ),
    }
