"""The words of CloudFormation that the other modules speak in."""

from typing import Any

Json = dict[str, Any]


def ref(name: str) -> Json:
    return {"Ref": name}


def sub(text: str) -> Json:
    return {"Fn::Sub": text}


def arn(resource: str) -> Json:
    return {"Fn::GetAtt": [resource, "Arn"]}


def either(condition: str, then: Any, otherwise: Any) -> Json:
    return {"Fn::If": [condition, then, otherwise]}


def is_given(parameter: str) -> Json:
    """For Conditions: whether a parameter was given at all."""
    return {"Fn::Not": [{"Fn::Equals": [ref(parameter), ""]}]}


def is_on(parameter: str) -> Json:
    """For Conditions: whether what a parameter can turn off was not turned off."""
    return {"Fn::Not": [{"Fn::Equals": [ref(parameter), "off"]}]}


NOTHING = ref("AWS::NoValue")


def resource(kind: str, properties: Json, **attributes: Any) -> Json:
    return {"Type": f"AWS::{kind}", "Properties": properties, **attributes}


def logical(*words: str) -> str:
    """A resource's name in the template: `cron_names`, `Table` is `CronNamesTable`."""
    parts = "_".join(words).replace("-", "_").split("_")
    return "".join(part[:1].upper() + part[1:] for part in parts)
