"""`python -m tests.simulation --seeds N`: play seeds and print what came of them."""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections import Counter
from multiprocessing import Pool

from tests.simulation.run import Outcome, Scene, run_seed

KINDS = ("duplicated", "lost", "stuck", "strays", "shown_wrongly")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=200, help="how many seeds to play")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--seed", type=int, help="play this one and tell its story")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    if options.seed is not None:
        return tell(options.seed)
    started = time.monotonic()
    seeds = range(options.first, options.first + options.seeds)
    with Pool(options.processes, initializer=_collect_seldom) as pool:
        outcomes = []
        for outcome in pool.imap(run_seed, seeds, chunksize=25):
            outcomes.append(outcome)
            for text in outcome.findings.by_hand:
                print(f"seed {outcome.seed}: by a clerk's own renumbering: {text}", flush=True)
            if not outcome.is_good:
                told = outcome.violation or outcome.findings.faults[0]
                print(f"seed {outcome.seed}: {told}", flush=True)
    report(outcomes, time.monotonic() - started)
    return 0 if all(outcome.is_good for outcome in outcomes) else 1


def _collect_seldom() -> None:
    """Worlds are small and many; looking for garbage all the time is a fifth of the run."""
    gc.set_threshold(100_000, 20, 20)


def tell(seed: int) -> int:
    scene = Scene(seed)
    outcome = scene.run()
    print(scene.world.nature)
    print("\n".join(scene.world.story()))
    for posting in scene.store.postings.values():
        print(posting.id, posting.state, posting.place.fate, posting.sentence)
    print(outcome.violation, *outcome.findings.faults, sep="\n")
    return 0 if outcome.is_good else 1


def report(outcomes: list[Outcome], seconds: float) -> None:
    faults: Counter[str] = Counter()
    for outcome in outcomes:
        faults.update(outcome.faults)
    print(f"seeds      {len(outcomes)}   ({seconds:.1f} s)")
    print(f"bills      {sum(outcome.bills for outcome in outcomes)}")
    print(f"POSTs      {sum(outcome.posts for outcome in outcomes)}")
    print(f"faults     {faults.total()}")
    for kind, count in sorted(faults.items()):
        print(f"  {kind:32} {count}")
    for kind in (*KINDS, "told", "by_hand", "copied_by_hand"):
        count = sum(len(getattr(outcome.findings, kind)) for outcome in outcomes)
        print(f"{kind:14} {count}")


if __name__ == "__main__":
    sys.exit(main())
