"""The page: medians over the rounds, and the ratios that are claimed."""

from statistics import median

HEAD = """# Benchmarks

Written by `cargo xtask bench api`. What counts are the ratios within one run: all subjects ran on the same machine and the same
database, one after the other, in {rounds} rounds that each began with another subject; the figures are medians of {seconds} s each.
Load generator, service and database share the cores. Postgres keeps its defaults, so that every POST is on the disk when it is
answered. todostack-api has everything on: metrics, logging at info, ETags, rate limit. Each service has at most 12 connections to
the database. pgbench sends the same SQL without any HTTP or JSON; its latency is an average.

{machine}
"""


def page(results, machine, options) -> str:
    rounds, seconds = options.rounds, options.seconds
    parts = [HEAD.format(rounds=rounds, seconds=seconds, machine="\n".join(f"- {line}" for line in machine))]
    subjects = list(dict.fromkeys(result.subject for result in sorted(results, key=lambda result: _place(result.subject))))
    api = subjects[0]
    for scenario in dict.fromkeys(result.scenario for result in results):
        of_scenario = [result for result in results if result.scenario == scenario]
        own = _median(of_scenario, api, "per_second")
        parts.append(f"\n## {scenario} connection{'s' if not scenario.endswith(' 1') else ''}\n")
        parts.append("| | a second | p50 ms | p99 ms | RSS MiB | errors | todostack-api to it |")
        parts.append("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
        for subject in subjects:
            per_second = _median(of_scenario, subject, "per_second")
            if per_second is None:
                continue
            cells = [f"{per_second:,.0f}"]
            for name in ("p50_ms", "p99_ms", "rss_mib"):
                value = _median(of_scenario, subject, name)
                cells.append("" if value is None else f"{value:.{1 if name == 'rss_mib' else 2}f}")
            cells.append(str(sum(result.errors for result in of_scenario if result.subject == subject)))
            cells.append("" if subject == api else f"{own / per_second:.2f} ×")
            parts.append(f"| {subject} | {' | '.join(cells)} |")
    return "\n".join(parts) + "\n"


def alone(lines: list[str]) -> str:
    head = "\n## One request alone, in the store\n\nThrough its batch, and as the one statement that it is, over a pool of sqlx.\n\n"
    return head + "".join(f"- {line}\n" for line in lines)


def _place(subject: str) -> int:
    order = ["todostack", "pgbench", "FastAPI + asyncpg", "FastAPI + SQLAlchemy"]
    return next(place for place, start in enumerate(order) if subject.startswith(start))


def _median(results, subject, name):
    values = [getattr(result, name) for result in results if result.subject == subject]
    values = [value for value in values if value is not None]
    return median(values) if values else None
