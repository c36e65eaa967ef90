"""Schedules in words: what they say must be what they do."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.language import Language
from chalicelib.domain.schedule.description import describe
from chalicelib.domain.schedule.expression import parse_fields
from chalicelib.domain.schedule.schedule import ScheduleError


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("*,5 * * * *", "Every minute"),
        ("0-59 * * * *", "Every minute"),
        ("0,15,30,45 * * * *", "Every 15 minutes"),
        ("*/30 9-17 * * 1-5", "Every 30 minutes, between 09:00 and 17:59, Monday through Friday"),
        ("*/90 * * * *", "Every hour"),
        ("*/40 * * * *", "At 0 and 40 minutes past the hour"),
        ("30 2 * * *", "At 02:30"),
        ("5-5 1 * * *", "At 01:05"),
        ("0 9 * * MON-fri", "At 09:00, Monday through Friday"),
        ("0 0 * * 7", "At 00:00, only on Sunday"),
        ("0 0 * * */7", "At 00:00, only on Sunday"),
        ("0 0 * * 5-7", "At 00:00, Friday through Sunday"),
        ("0 0 * feb *", "At 00:00, only in February"),
        ("0 0 1 1 *", "At 00:00, on day 1 of the month, only in January"),
        # Whether days and weekdays are joined by "and" or by "or".
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
        # Names and intervals.
        ("@yearly", "At 00:00, on day 1 of the month, only in January"),
        ("@monthly", "At 00:00, on day 1 of the month"),
        ("@weekly", "At 00:00, only on Sunday"),
        ("@daily", "At 00:00"),
        ("@hourly", "Every hour"),
        ("@every 10m", "Every 10 minutes"),
        ("@every 1h", "Every hour"),
        ("@every 24h", "Every 24 hours"),
        ("@every 1d0h1s", "Every 1 day and 1 second"),
    ],
)
def test_the_words_in_english(expression: str, words: str) -> None:
    assert describe(expression) == words


def test_a_schedule_that_is_not_accepted_has_no_words() -> None:
    with pytest.raises(ScheduleError, match="hour: 24 is not within 0-23"):
        describe("0 24 * * *")


@pytest.mark.parametrize(
    ("expression", "english", "french"),
    [
        ("* * * * *", "Every minute", "Toutes les minutes"),
        ("*/5 * * * *", "Every 5 minutes", "Toutes les 5 minutes"),
        ("0 * * * *", "Every hour", "Toutes les heures"),
        ("1 * * * *", "At 1 minute past the hour", "À la minute 1 de l’heure"),
        ("0 */6 * * *", "Every 6 hours", "Toutes les 6 heures"),
        ("30 2 * * 1", "At 02:30, only on Monday", "À 02:30, le lundi"),
        ("30 2 * * 1-5", "At 02:30, Monday through Friday", "À 02:30, du lundi au vendredi"),
        (
            "0 9,17 * * 0,6",
            "At 09:00 and 17:00, only on Saturday and Sunday",
            "À 09:00 et 17:00, le samedi et le dimanche",
        ),
        ("0 9-17 * * *", "Every hour, between 09:00 and 17:00", "Toutes les heures, entre 09:00 et 17:00"),
        ("17 */6 * * *", "At 00:17, 06:17, 12:17, and 18:17", "À 00:17, 06:17, 12:17 et 18:17"),
        (
            "5,35 */2 * * *",
            "At 5 and 35 minutes past the hour, every 2 hours",
            "Aux minutes 5 et 35 de l’heure, toutes les 2 heures",
        ),
        (
            "*/10 8-11,14-17 * * *",
            "Every 10 minutes, between 08:00 and 11:59 and between 14:00 and 17:59",
            "Toutes les 10 minutes, entre 08:00 et 11:59 et entre 14:00 et 17:59",
        ),
        ("0-30 8 * * *", "Every minute, between 08:00 and 08:30", "Toutes les minutes, entre 08:00 et 08:30"),
        ("5-10 * * * *", "Minutes 5 through 10 past the hour", "De la minute 5 à la minute 10 de l’heure"),
        ("0 0 1,15 * *", "At 00:00, on day 1 and 15 of the month", "À 00:00, le 1er et le 15 du mois"),
        (
            "0 0 1-7 * 1",
            "At 00:00, between day 1 and 7 of the month, or on Monday",
            "À 00:00, du 1er au 7 du mois, ou le lundi",
        ),
        (
            "0 0 */16 * 1",
            "At 00:00, on day 1 and 17 of the month, but only on Monday",
            "À 00:00, le 1er et le 17 du mois, mais seulement le lundi",
        ),
        ("0 3 * 4-8 *", "At 03:00, April through August", "À 03:00, d’avril à août"),
        ("0 3 * 2,10 *", "At 03:00, only in February and October", "À 03:00, en février et en octobre"),
        ("@every 45s", "Every 45 seconds", "Toutes les 45 secondes"),
        ("@every 1d", "Every day", "Tous les jours"),
        ("@every 2d", "Every 2 days", "Tous les 2 jours"),
        ("@every 1h30m", "Every 1 hour and 30 minutes", "Toutes les 1 h 30 min"),
        (
            "Mon *-*-* 02:00:00",
            "At Mon *-*-* 02:00:00, a calendar expression of systemd",
            "Selon Mon *-*-* 02:00:00, une expression de calendrier de systemd",
        ),
    ],
)
def test_the_words_in_both_languages(expression: str, english: str, french: str) -> None:
    assert (describe(expression), describe(expression, Language.FR)) == (english, french)


def _field(low: int, high: int) -> "st.SearchStrategy[str]":
    """A field of few values, so that two of them are often nearly the same."""
    value = st.integers(low, high).map(str)
    span = st.tuples(st.integers(low, high), st.integers(0, 4)).map(lambda two: f"{two[0]}-{min(high, sum(two))}")
    step = st.sampled_from(["*/2", "*/5", "*/7", "*/15"])
    return st.one_of(
        st.just("*"), step, value, st.lists(st.one_of(value, span), min_size=1, max_size=3).map(",".join)
    )


_EXPRESSIONS = st.tuples(_field(0, 59), _field(0, 23), _field(1, 28), _field(1, 12), _field(0, 6)).map(" ".join)
_WORDS_OF_ENGLISH = re.compile(r"\b(every|at|and|on|only|but|or|the|past|hours?|through|day|of)\b", re.IGNORECASE)


@settings(max_examples=300, deadline=None)
@given(_EXPRESSIONS, _EXPRESSIONS, st.integers(0, 4))
def test_schedules_that_differ_have_other_words(one: str, other: str, field: int) -> None:
    """Two schedules that differ in one field: their words are the same only where they run at the same times."""
    fields = one.split(" ")
    fields[field] = other.split(" ")[field]
    near = " ".join(fields)

    for language in Language:
        is_same = _what_it_means(one) == _what_it_means(near)
        assert (describe(one, language) == describe(near, language)) is is_same


def _what_it_means(expression: str) -> tuple[object, ...]:
    found = parse_fields(expression)
    every_day, every_weekday = len(found.days) == 31, len(found.weekdays) == 7
    if not found.days_and_weekdays and (every_day or every_weekday):
        return (*found[:2], found.months)
    is_joined = not every_day and not every_weekday
    return (*found[:5], is_joined and found.days_and_weekdays)


@given(_EXPRESSIONS)
def test_french_words_hold_no_english(expression: str) -> None:
    assert _WORDS_OF_ENGLISH.findall(describe(expression, Language.FR)) == []
