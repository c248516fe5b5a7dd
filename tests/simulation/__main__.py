"""`python -m tests.simulation --seeds N`: play seeds and print what came of them.

A run that is interrupted (Ctrl-C, SIGTERM) reports what it has played.
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from multiprocessing import Pool

from tests.simulation.run import Outcome, Scene, run_seed

KINDS = ("duplicated", "lost", "stuck", "strays", "shown_wrongly")
#: What is counted apart: told to a person, or done by a clerk's own hand.
APART = ("told", "by_hand", "copied_by_hand")
PROGRESS_SEEDS = 5000


@dataclass(slots=True)
class Totals:
    """What many seeds came to."""

    seeds: int = 0
    bills: int = 0
    posts: int = 0
    broken: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        self.seeds += 1
        self.bills += outcome.bills
        self.posts += outcome.posts
        self.broken += not outcome.is_good
        self.faults.update(outcome.faults)
        for kind in (*KINDS, *APART):
            self.findings[kind] += len(getattr(outcome.findings, kind))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=200, help="how many seeds to play")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--seed", type=int, help="play this one and tell its story")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    if options.seed is not None:
        return tell(Scene(options.seed))
    started = time.monotonic()
    seeds = range(options.first, options.first + options.seeds)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Pool(options.processes, initializer=_prepare) as pool:
        totals = follow(pool.imap(run_seed, seeds, chunksize=25))
    report(totals, options.first, time.monotonic() - started)
    return 1 if totals.broken else 0


def _prepare() -> None:
    """A process that plays: it looks for garbage seldom, and leaves an interruption to its parent."""
    gc.set_threshold(100_000, 20, 20)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def follow(outcomes: Iterable[Outcome]) -> Totals:
    """Add the outcomes up, as far as they come."""
    totals = Totals()
    try:
        for outcome in outcomes:
            totals.add(outcome)
            say(outcome)
            if totals.seeds % PROGRESS_SEEDS == 0:
                print(f"… {totals.seeds} seeds, {totals.bills} bills", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("Interrupted; this was played:", file=sys.stderr)
    return totals


def say(outcome: Outcome) -> None:
    """Tell of a seed that is broken, and of what a clerk brought about."""
    for text in outcome.findings.by_hand:
        print(f"seed {outcome.seed}: by a clerk's own renumbering: {text}", flush=True)
    if not outcome.is_good:
        told = outcome.violation or outcome.findings.faults[0]
        print(f"seed {outcome.seed}: {told}", flush=True)


def tell(scene: Scene) -> int:
    outcome = scene.run()
    print(scene.world.nature)
    print("\n".join(scene.world.story()))
    for posting in scene.store.postings.values():
        print(posting.id, posting.state, posting.place.fate, posting.sentence)
    print(outcome.violation, *outcome.findings.faults, sep="\n")
    return 0 if outcome.is_good else 1


def report(totals: Totals, first: int, seconds: float) -> None:
    last = first + totals.seeds - 1
    print(f"seeds          {totals.seeds}: {first} to {last}   ({seconds:.1f} s)")
    print(f"broken seeds   {totals.broken}")
    print(f"bills          {totals.bills}")
    print(f"POSTs          {totals.posts}")
    print(f"faults         {totals.faults.total()}")
    for kind, count in sorted(totals.faults.items()):
        print(f"  {kind:32} {count}")
    for kind in (*KINDS, *APART):
        print(f"{kind:14} {totals.findings[kind]}")


if __name__ == "__main__":
    sys.exit(main())
