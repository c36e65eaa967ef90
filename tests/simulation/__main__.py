"""`python -m tests.simulation`: simulates fleets of jobs and compares what CronHub says with the truth."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

from tests.simulation.driver import Driver
from tests.simulation.explain import explain
from tests.simulation.generate import make_world
from tests.simulation.judge import Mistake, judge
from tests.simulation.profiles import PROFILES
from tests.simulation.truth import truth_of

_MISTAKES = ("missed", "late", "false", "attributed", "figures", "last word", "unclosed")
# Without ids, one false alert in so many occurrences is allowed.
FALSE_ONCE_IN = 10_000
_COLUMNS = ("occurrences", "troubles", "right", "over before", "summed up", "either", *_MISTAKES, "noise")


class Example(NamedTuple):
    seed: int
    schedule: str
    mistake: Mistake
    timeline: str


class Result(NamedTuple):
    counts: Counter[str]
    examples: list[Example]


def simulate(name: str, seed: int, days: int, examples: int = 3) -> Result:
    """One world of a profile, from its making to its judgement."""
    world = make_world(PROFILES[name], seed, days)
    counts: Counter[str] = Counter()
    found: list[Example] = []
    kinds: Counter[str] = Counter()
    for job, outcome in zip(world.jobs, Driver(world).run(), strict=True):
        truth = truth_of(world, job)
        report = judge(world, job, truth, outcome)
        counts.update(report.counts)
        for mistake in report.mistakes:
            kinds[mistake.what] += 1
            if kinds[mistake.what] <= examples:
                timeline = explain(job, truth, outcome, mistake.at)
                found.append(Example(seed, f"{job.schedule} ({job.zone})", mistake, timeline))
    return Result(counts, found)


def _one(task: tuple[str, int, int]) -> Result:
    return simulate(*task)


def run_profiles(
    names: list[str], first: int, jobs: int, days: int, processes: int
) -> Iterator[tuple[str, Result]]:
    with ProcessPoolExecutor(processes) as pool:
        for name in names:
            counts: Counter[str] = Counter()
            examples: list[Example] = []
            for result in pool.map(_one, [(name, seed, days) for seed in range(first, first + jobs)]):
                counts.update(result.counts)
                examples += result.examples
            yield name, Result(counts, examples)


def main() -> int:
    options = _options()
    names = options.profile or list(PROFILES)
    print(" ".join(f"{text:>11}" for text in ("", *_COLUMNS)))
    began = time.monotonic()
    wrong = 0
    for name, result in run_profiles(names, options.seed, options.jobs, options.days, options.processes):
        counts = result.counts
        years = counts["hours"] / 24 / 365
        cells = [str(counts[column]) for column in _COLUMNS[:-1]] + [f"{counts['noise'] / max(years, 0.01):.1f}/y"]
        print(f"{name:<19}" + " ".join(f"{cell:>11}" for cell in cells), flush=True)
        wrong += is_wrong(name, counts)
        if options.explain:
            _show(name, result.examples, options.explain)
    print(f"{time.monotonic() - began:.0f} s, {wrong} profiles beyond their limits")
    return 1 if wrong else 0


def is_wrong(name: str, counts: Counter[str]) -> bool:
    """Whether a profile has more mistakes than it may: none where CronHub can know which run a signal is about."""
    if PROFILES[name].has_ids:
        return any(counts[what] for what in _MISTAKES)
    return bool(counts["missed"]) or counts["false"] * FALSE_ONCE_IN > counts["occurrences"]


def _show(name: str, examples: list[Example], number: int) -> None:
    shown: Counter[str] = Counter()
    for example in examples:
        what = example.mistake.what
        shown[what] += 1
        if shown[what] <= number:
            print(
                f"\n--- {name} --seed {example.seed} --jobs 1: {what}: {example.schedule}: {example.mistake.text}"
            )
            print(example.timeline)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--profile", action="append", choices=sorted(PROFILES))
    parser.add_argument("--seed", type=int, default=1, help="the first one; job N has seed + N")
    parser.add_argument("--jobs", type=int, default=18)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--explain", type=int, nargs="?", const=2, default=0, help="examples of each kind of mistake"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
