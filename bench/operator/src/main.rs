//! The benchmark of the operator: builds what it needs, measures each subject in turn, writes the result.

mod args;
mod audit;
mod check;
mod end_state;
mod kro_graph;
mod life;
mod machine;
mod metrics;
mod plot;
mod report;
mod result;
mod rollout;
mod scenario;
mod stacks;
mod subject;
mod tracker;
mod trial;
mod usage;
mod wait;
mod watch;
mod world;
mod writers;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::Parser as _;
use fs_err as fs;
use todostack_testbed::binaries::{self, Module};
use todostack_testbed::{process, progress, repository};
use tokio::signal::unix::{SignalKind, signal};

use crate::args::{Args, KroLimits, Scenario, Subject};
use crate::life::Case;
use crate::machine::Machine;
use crate::result::{Measurement, Results};
use crate::world::Programs;

const BROKEN: usize = 200;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    // Dropping the run ends all processes and removes all folders.
    let outcome = tokio::select! {
        outcome = run(&args) => outcome,
        name = interrupted() => Err(anyhow::anyhow!("ended by {name}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn interrupted() -> &'static str {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! { _ = interrupt.recv() => "Ctrl-C", _ = terminate.recv() => "SIGTERM" }
}

async fn run(args: &Args) -> anyhow::Result<()> {
    let programs = programs(args)?;
    trial::run(args, &programs).await?;
    if args.sizes().is_empty() && !args.scenarios.contains(&Scenario::Broken) {
        return Ok(());
    }
    let mut results = Results { machine: Machine::read(args), measurements: Vec::new() };
    for round in 0..args.rounds {
        for stacks in args.sizes() {
            for index in 0..args.subjects.len() {
                // Each round begins with another subject.
                let index = (index + round) % args.subjects.len();
                let Some(subject) = args.subjects.get(index).copied() else { continue };
                step(args, &programs, (round, subject, Case::Stacks(stacks)), &mut results).await?;
            }
        }
        if args.scenarios.contains(&Scenario::Broken) && args.subjects.contains(&Subject::Operator) {
            step(args, &programs, (round, Subject::Operator, Case::Broken(BROKEN)), &mut results).await?;
        }
    }
    println!("{}", report::tables(&results));
    if args.publish {
        publish(&results)?;
    }
    if args.check { check::check(&results) } else { Ok(()) }
}

/// One measurement; what was measured until then is in the result file.
async fn step(
    args: &Args,
    programs: &Programs,
    (round, subject, case): (usize, Subject, Case),
    results: &mut Results,
) -> anyhow::Result<()> {
    let what = match case {
        Case::Stacks(stacks) => format!("{} with {stacks} stack(s)", subject.name()),
        Case::Broken(stacks) => format!("{} with {stacks} stacks, a third of them broken", subject.name()),
    };
    eprintln!("==> round {} of {}: {what}", round + 1, args.rounds);
    let started = Instant::now();
    let measured = Box::pin(life::measure(args, programs, subject, case)).await;
    let measured = measured.with_context(|| format!("failed to measure {what}"))?;
    eprintln!("    took {}: {}", progress::format_duration(started.elapsed()), summary(&measured));
    results.measurements.push(measured);
    let folder = repository::root().join("target/bench-operator");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("result.json"), serde_json::to_string_pretty(results)?)?;
    Ok(())
}

fn summary(measured: &Measurement) -> String {
    let names =
        ["objects_s", "pods_ready_s", "ready_s", "writes_per_stack", "reads_per_stack", "broken_ready_s"];
    let figure = |name: &&str| Some(format!("{name} {}", measured.figures.get(*name)?));
    names.iter().filter_map(figure).collect::<Vec<_>>().join(", ")
}

fn publish(results: &Results) -> anyhow::Result<()> {
    let root = repository::root();
    fs::write(root.join(check::FIGURES), serde_json::to_string_pretty(results)? + "\n")?;
    fs::write(root.join(report::PAGE), report::page(results))?;
    fs::write(report::folder().join(report::PLOT), plot::svg(results))?;
    eprintln!("Wrote {}, {} and its plot", check::FIGURES, report::PAGE);
    Ok(())
}

fn programs(args: &Args) -> anyhow::Result<Programs> {
    let kubernetes = binaries::build(Module::Kubernetes)?;
    let kwok = binaries::build(Module::Kwok)?.program("kwok");
    let kro = if args.subjects.contains(&Subject::Kro) && !args.sizes().is_empty() {
        Some(binaries::build(Module::Kro)?.program("controller"))
    } else {
        None
    };
    let operator = match &args.operator {
        Some(given) => given.clone(),
        None => build_operator(&args.profile)?,
    };
    // A copy, because another build may replace it while this runs.
    let folder = tempfile::tempdir()?;
    let copied = folder.path().join("todostack-operator");
    fs::copy(operator, &copied)?;
    let flags = args.operator_flag.clone();
    Ok(Programs {
        kubernetes,
        kwok,
        kro,
        kro_defaults: args.kro_limits == KroLimits::Default,
        operator: copied,
        _folder: folder,
        operator_flags: flags,
    })
}

/// Builds it as its image has it, statically linked, beside this program's own folder.
fn build_operator(profile: &str) -> anyhow::Result<PathBuf> {
    progress::step(
        &format!("Building the operator (profile {profile})"),
        "some minutes the first time",
        || {
            let mut cargo = repository::static_cargo(&["build", "--locked", "--profile", profile]);
            process::run(cargo.args(["--package", "todostack-operator"]))
        },
    )?;
    let own = std::env::current_exe()?;
    let folder =
        own.parent().and_then(|folder| folder.parent()).context("this program is in no target folder")?;
    Ok(folder.join(profile).join("todostack-operator"))
}
