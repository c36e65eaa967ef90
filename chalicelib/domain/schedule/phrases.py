"""The words of a schedule's description, in English and French. Neither knows what a cron expression is."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

from chalicelib.domain.language import Language

#: Three and more values in a row are a range.
_RANGE = 3


class Phrases(Protocol):
    """What a description is made of. Weekdays are 1 to 7, Monday first."""

    def interval(self, parts: Sequence[tuple[int, str]]) -> str: ...
    def calendar(self, expression: str) -> str: ...
    def every_minutes(self, step: int) -> str: ...
    def every_hours(self, step: int) -> str: ...
    def also_every_hours(self, step: int) -> str: ...
    def minutes(self, minutes: tuple[int, ...]) -> str: ...
    def at(self, times: Sequence[str]) -> str: ...
    def between(self, spans: Sequence[tuple[str, str]]) -> str: ...
    def days(self, days: tuple[int, ...]) -> str: ...
    def only_weekdays(self, weekdays: tuple[int, ...]) -> str: ...
    def or_weekdays(self, weekdays: tuple[int, ...]) -> str: ...
    def but_only_weekdays(self, weekdays: tuple[int, ...]) -> str: ...
    def months(self, months: tuple[int, ...]) -> str: ...


class _English:
    _UNITS: ClassVar = {"d": "day", "h": "hour", "m": "minute", "s": "second"}
    _WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    _MONTHS = (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    )

    def interval(self, parts: Sequence[tuple[int, str]]) -> str:
        if len(parts) == 1 and parts[0][0] == 1:
            return f"Every {self._UNITS[parts[0][1]]}"
        words = (f"{number} {self._UNITS[unit]}{'' if number == 1 else 's'}" for number, unit in parts)
        return f"Every {' and '.join(words)}"

    def calendar(self, expression: str) -> str:
        return f"At {expression}, a calendar expression of systemd"

    def every_minutes(self, step: int) -> str:
        return "Every minute" if step == 1 else f"Every {step} minutes"

    def every_hours(self, step: int) -> str:
        return "Every hour" if step == 1 else f"Every {step} hours"

    def also_every_hours(self, step: int) -> str:
        return f", every {step} hours"

    def minutes(self, minutes: tuple[int, ...]) -> str:
        if _is_range(minutes):
            return f"Minutes {minutes[0]} through {minutes[-1]} past the hour"
        unit = "minute" if minutes == (1,) else "minutes"
        return f"At {_english_list(list(map(str, minutes)))} {unit} past the hour"

    def at(self, times: Sequence[str]) -> str:
        return f"At {_english_list(times)}"

    def between(self, spans: Sequence[tuple[str, str]]) -> str:
        return ", " + _english_list([f"between {first} and {last}" for first, last in spans])

    def days(self, days: tuple[int, ...]) -> str:
        if _is_range(days):
            return f", between day {days[0]} and {days[-1]} of the month"
        return f", on day {_english_list(list(map(str, days)))} of the month"

    def only_weekdays(self, weekdays: tuple[int, ...]) -> str:
        return ", " + ("" if _is_range(weekdays) else "only ") + self._on(weekdays)

    def or_weekdays(self, weekdays: tuple[int, ...]) -> str:
        return f", or {self._on(weekdays)}"

    def but_only_weekdays(self, weekdays: tuple[int, ...]) -> str:
        return f", but only {self._on(weekdays)}"

    def _on(self, weekdays: tuple[int, ...]) -> str:
        names = [self._WEEKDAYS[day - 1] for day in weekdays]
        return f"{names[0]} through {names[-1]}" if _is_range(weekdays) else f"on {_english_list(names)}"

    def months(self, months: tuple[int, ...]) -> str:
        names = [self._MONTHS[month - 1] for month in months]
        return f", {names[0]} through {names[-1]}" if _is_range(months) else f", only in {_english_list(names)}"


class _French:
    _EVERY: ClassVar = {
        "d": "Tous les jours",
        "h": "Toutes les heures",
        "m": "Toutes les minutes",
        "s": "Toutes les secondes",
    }
    _UNITS: ClassVar = {"d": "jours", "h": "heures", "m": "minutes", "s": "secondes"}
    _SHORT: ClassVar = {"d": "j", "h": "h", "m": "min", "s": "s"}
    _WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
    _MONTHS = (
        *("janvier", "février", "mars", "avril", "mai", "juin"),
        *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
    )

    def interval(self, parts: Sequence[tuple[int, str]]) -> str:
        number, unit = parts[0]
        if len(parts) == 1 and number == 1:
            return self._EVERY[unit]
        every = "Tous les" if unit == "d" else "Toutes les"
        if len(parts) == 1:
            return f"{every} {number} {self._UNITS[unit]}"
        return f"{every} {' '.join(f'{count} {self._SHORT[one]}' for count, one in parts)}"

    def calendar(self, expression: str) -> str:
        return f"Selon {expression}, une expression de calendrier de systemd"

    def every_minutes(self, step: int) -> str:
        return "Toutes les minutes" if step == 1 else f"Toutes les {step} minutes"

    def every_hours(self, step: int) -> str:
        return "Toutes les heures" if step == 1 else f"Toutes les {step} heures"

    def also_every_hours(self, step: int) -> str:
        return f", toutes les {step} heures"

    def minutes(self, minutes: tuple[int, ...]) -> str:
        if minutes == (0,):
            return "À chaque heure pile"
        if _is_range(minutes):
            return f"De la minute {minutes[0]} à la minute {minutes[-1]} de l’heure"
        if len(minutes) == 1:
            return f"À la minute {minutes[0]} de l’heure"
        return f"Aux minutes {_french_list(list(map(str, minutes)))} de l’heure"

    def at(self, times: Sequence[str]) -> str:
        return f"À {_french_list(times)}"

    def between(self, spans: Sequence[tuple[str, str]]) -> str:
        return ", " + _french_list([f"entre {first} et {last}" for first, last in spans])

    def days(self, days: tuple[int, ...]) -> str:
        names = ["1er" if day == 1 else str(day) for day in days]
        if _is_range(days):
            return f", du {names[0]} au {names[-1]} du mois"
        return f", {_french_list([f'le {name}' for name in names])} du mois"

    def only_weekdays(self, weekdays: tuple[int, ...]) -> str:
        return f", {self._on(weekdays)}"

    def or_weekdays(self, weekdays: tuple[int, ...]) -> str:
        return f", ou {self._on(weekdays)}"

    def but_only_weekdays(self, weekdays: tuple[int, ...]) -> str:
        return f", mais seulement {self._on(weekdays)}"

    def _on(self, weekdays: tuple[int, ...]) -> str:
        names = [self._WEEKDAYS[day - 1] for day in weekdays]
        if _is_range(weekdays):
            return f"du {names[0]} au {names[-1]}"
        return _french_list([f"le {name}" for name in names])

    def months(self, months: tuple[int, ...]) -> str:
        names = [self._MONTHS[month - 1] for month in months]
        if _is_range(months):
            return f", {_of(names[0])} à {names[-1]}"
        return f", {_french_list([f'en {name}' for name in names])}"


def _is_range(values: tuple[int, ...]) -> bool:
    return len(values) >= _RANGE and values[-1] - values[0] == len(values) - 1


def _english_list(words: Sequence[str]) -> str:
    if len(words) > 2:
        return f"{', '.join(words[:-1])}, and {words[-1]}"
    return " and ".join(words)


def _french_list(words: Sequence[str]) -> str:
    if len(words) > 2:
        return f"{', '.join(words[:-1])} et {words[-1]}"
    return " et ".join(words)


def _of(month: str) -> str:
    return f"d’{month}" if month[0] in "ao" else f"de {month}"


PHRASES: Mapping[Language, Phrases] = {Language.EN: _English(), Language.FR: _French()}
