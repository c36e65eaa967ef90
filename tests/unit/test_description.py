"""Schedules in words: what they say must be what they do."""

import subprocess
import sys

import pytest

from chalicelib.domain.schedule.description import describe
from chalicelib.domain.schedule.schedule import ScheduleError


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("* * * * *", "Every minute"),
        ("*,5 * * * *", "Every minute"),
        ("0-59 * * * *", "Every minute"),
        ("*/5 * * * *", "Every 5 minutes"),
        ("0,15,30,45 * * * *", "Every 15 minutes"),
        ("*/30 9-17 * * 1-5", "Every 30 minutes, between 09:00 and 17:59, Monday through Friday"),
        ("*/90 * * * *", "Every hour"),
        ("*/40 * * * *", "At 0 and 40 minutes past the hour"),
        ("30 2 * * *", "At 02:30"),
        ("5-5 1 * * *", "At 01:05"),
        ("0 */6 * * *", "Every 6 hours"),
        ("0 9 * * MON-fri", "At 09:00, Monday through Friday"),
        ("0 0 * * 7", "At 00:00, only on Sunday"),
        ("0 0 * * */7", "At 00:00, only on Sunday"),
        ("0 0 * * 5-7", "At 00:00, Friday through Sunday"),
        ("0 0 * feb *", "At 00:00, only in February"),
        ("0 0 1 1 *", "At 00:00, on day 1 of the month, only in January"),
    ],
)
def test_words_of_a_cron_expression(expression: str, words: str) -> None:
    assert describe(expression) == words


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("0 0 13 * 5", "At 00:00, on day 13 of the month, or on Friday"),
        (
            "0 0 1-7 * mon-fri",
            "At 00:00, between day 1 and 7 of the month, or Monday through Friday",
        ),
        ("0 0 29 2 */7", "At 00:00, on day 29 of the month, but only on Sunday, only in February"),
        ("0 0 */15 * 1", "At 00:00, on day 1, 16, and 31 of the month, but only on Monday"),
        (
            "0 0 */10 * 1-5",
            "At 00:00, on day 1, 11, 21, and 31 of the month, but only Monday through Friday",
        ),
        ("0 0 1-31 * 1", "At 00:00"),
        ("0 0 15 * 0-6", "At 00:00"),
        ("0 0 15 * *", "At 00:00, on day 15 of the month"),
    ],
)
def test_words_say_whether_days_and_weekdays_mean_and_or_or(expression: str, words: str) -> None:
    assert describe(expression) == words


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("@yearly", "At 00:00, on day 1 of the month, only in January"),
        ("@monthly", "At 00:00, on day 1 of the month"),
        ("@weekly", "At 00:00, only on Sunday"),
        ("@daily", "At 00:00"),
        ("@hourly", "Every hour"),
        ("@every 10m", "Every 10 minutes"),
        ("@every 1h", "Every hour"),
        ("@every 24h", "Every 24 hours"),
        ("@every 1h30m", "Every 1 hour and 30 minutes"),
        ("@every 1d0h1s", "Every 1 day and 1 second"),
    ],
)
def test_words_of_a_name_or_an_interval(name: str, words: str) -> None:
    assert describe(name) == words


def test_a_schedule_that_is_not_accepted_has_no_words() -> None:
    with pytest.raises(ScheduleError, match="hour: 24 is not within 0-23"):
        describe("0 24 * * *")


def test_the_describing_library_is_not_loaded_before_it_is_needed() -> None:
    code = "import sys, chalicelib.domain.schedule.description; sys.exit('cron_descriptor' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
