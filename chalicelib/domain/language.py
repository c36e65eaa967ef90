"""The languages that CronHub speaks to people."""

from enum import StrEnum


class Language(StrEnum):
    EN = "en"
    FR = "fr"
