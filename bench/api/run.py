#!/usr/bin/env -S python3 -B
"""Measures the API and comparable services on one database, and writes docs/benchmarks.md.

`cargo xtask bench api` runs this. Needs the programs of Postgres, wrk and python3-venv, which it installs as
root on Debian and Ubuntu. Takes about ten minutes on two cores. Uses the standard library only."""

import argparse
import sys
from pathlib import Path

import report
import subjects
from machine import Postgres, build, describe_machine, log, peers_python, require_programs, single_request
from measure import SCENARIOS, measure


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--seconds", type=int, default=5, help="how long each measurement takes")
    arguments.add_argument("--output", type=Path, default=Path("docs/benchmarks.md"))
    options = arguments.parse_args()

    require_programs()
    programs = build()
    python = peers_python()
    with Postgres(programs / "todostack-dev-postgres") as postgres:
        all_subjects = subjects.all_of(programs / "todostack-api", python, postgres)
        results = []
        for number in range(options.rounds):
            # Each round starts with another subject, so that none always has the warmest machine.
            shift = number % len(all_subjects)
            # The speed of the machine drifts over minutes; what is compared is measured within one.
            for scenario in SCENARIOS:
                for subject in all_subjects[shift:] + all_subjects[:shift]:
                    if not subject.can(scenario):
                        continue
                    log(f"round {number + 1} of {options.rounds}: {scenario.name}, {subject.name}")
                    results.append(measure(subject, scenario, options.seconds, postgres))
        log("a single request, in the store")
        postgres.psql("--command", "create database single_request")
        lines = single_request(DATABASE_URL=f"{postgres.url.removesuffix('/postgres')}/single_request")
        text = report.page(results, describe_machine(postgres), options) + report.single_request(lines)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(text)
    print(text)
    # A peer that cannot keep up is a result; this service must answer every request.
    api = all_subjects[0].name
    failed = [result.scenario for result in results if result.errors and result.subject == api]
    if failed:
        sys.exit(f"{api} had errors: {', '.join(failed)}")


if __name__ == "__main__":
    main()
