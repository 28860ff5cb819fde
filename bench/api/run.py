#!/usr/bin/env -S python3 -B
"""Measures the API beside what people would write otherwise, on one database, and writes docs/benchmarks.md.

`cargo xtask bench api` runs this. Needs Postgres' programs, wrk and python3-venv; as root on Debian or Ubuntu it installs them.
Takes about ten minutes on two cores. Only the standard library is used here."""

import argparse
import sys
from pathlib import Path

import report
import subjects
from measure import SCENARIOS, alone, measure
from machine import Postgres, build, describe_machine, peers_python, require_programs, say


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--seconds", type=int, default=5, help="how long each measurement takes")
    arguments.add_argument("--output", type=Path, default=Path("docs/benchmarks.md"))
    options = arguments.parse_args()

    require_programs()
    programs = build()
    python = peers_python()
    with Postgres() as postgres:
        all_subjects = subjects.all_of(programs / "todostack-api", python, postgres)
        results = []
        for number in range(options.rounds):
            # Each round begins with another subject, so that none always has the warmest machine.
            shift = number % len(all_subjects)
            # The machine's own speed drifts over minutes; what is compared is measured within one.
            for scenario in SCENARIOS:
                for subject in all_subjects[shift:] + all_subjects[:shift]:
                    if not subject.can(scenario):
                        continue
                    say(f"round {number + 1} of {options.rounds}: {scenario.name}, {subject.name}")
                    results.append(measure(subject, scenario, options.seconds, postgres))
        say("one request alone")
        lines = alone(programs / "examples" / "alone", postgres)
        text = report.page(results, describe_machine(postgres), options) + report.alone(lines)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(text)
    print(text)
    # A peer that cannot keep up is a result; this service must answer all.
    failed = [result.scenario for result in results if result.errors and result.subject == all_subjects[0].name]
    if failed:
        sys.exit(f"{all_subjects[0].name} had errors: {', '.join(failed)}")


if __name__ == "__main__":
    main()
