//! Scenarios that check who writes, each on a control plane of its own: what they have in common.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use todostack_testbed::bare::Settings;

use crate::args::{Args, Scenario};
use crate::end_state;
use crate::scenario::{chaos, shards, upgrade};
use crate::stacks::{self, Id};
use crate::subject::{USER, create_all, elects_leader, todostacks};
use crate::tracker::Tracker;
use crate::wait;
use crate::world::{Programs, World};
use crate::writers::{self, Write};

/// What is printed of each kind of fault.
const SHOWN: usize = 10;
const FORBIDDEN: u16 = 403;
/// Between two lists of everything.
const POLL: Duration = Duration::from_secs(1);

pub(crate) struct Trial<'a> {
    pub(crate) args: &'a Args,
    pub(crate) programs: &'a Programs,
    pub(crate) stacks: usize,
    pub(crate) world: World,
}

/// All that are asked for.
pub(crate) async fn run(args: &Args, programs: &Programs) -> anyhow::Result<()> {
    for (check, stacks) in args.checks() {
        anyhow::ensure!(elects_leader(programs), "this operator has no --lease");
        eprintln!("==> {check} with {stacks} stacks");
        let settings = Settings { controller_manager_qps: args.controller_manager_qps };
        let world = World::start(programs, settings, args.keep).await?;
        world.install_charts().await?;
        let trial = Trial { args, programs, stacks, world };
        let outcome = match check {
            Scenario::Shards => Box::pin(shards::run(&trial)).await,
            Scenario::Upgrade => Box::pin(upgrade::run(&trial)).await,
            _ => Box::pin(chaos::run(&trial)).await,
        };
        let figures = outcome.with_context(|| format!("{check} with {stacks} stacks failed"))?;
        println!("\n## {check}, {stacks} stacks\n\n| | |\n|---|---:|");
        for (name, value) in figures {
            println!("| {name} | {value} |");
        }
    }
    Ok(())
}

impl Trial<'_> {
    /// Creates stacks, and waits until all is as they say.
    pub(crate) async fn create(&self, ids: &[Id]) -> anyhow::Result<()> {
        let created = ids.iter().map(|id| (id.clone(), stacks::todostack(id))).collect();
        create_all(&self.world.client, &todostacks(), created, &Tracker::default()).await?;
        self.converge(&ids.iter().cloned().collect()).await.map(drop)
    }

    /// Waits until all is as these stacks say; returns how long that took.
    pub(crate) async fn converge(&self, expected: &BTreeSet<Id>) -> anyhow::Result<f64> {
        let started = Instant::now();
        let limit = Duration::from_secs(180 + 4 * self.stacks as u64);
        wait::until("the cluster to be as the stacks say", limit, async || {
            let faults = end_state::read(&self.world.client).await?.faults(expected)?;
            if faults.is_empty() {
                return Ok(Ok(()));
            }
            wait::pause(POLL).await;
            Ok(Err(shown(&faults)))
        })
        .await?;
        Ok(started.elapsed().as_secs_f64())
    }

    /// The operators' writes until now. Fails if two have written at a time, or if a write was forbidden: who
    /// may not release its Lease keeps others waiting.
    pub(crate) fn writes(&self) -> anyhow::Result<Vec<Write>> {
        let writes = writers::log::read(&self.world.plane.audit_log(), USER)?;
        anyhow::ensure!(!writes.is_empty(), "the audit log has no write of an operator");
        let violations = writers::violations(&writes);
        let text: Vec<String> = violations.iter().map(ToString::to_string).collect();
        anyhow::ensure!(text.is_empty(), "not one writer at a time: {}", shown(&text));
        let forbidden = writes.iter().filter(|it| it.code == FORBIDDEN).map(ToString::to_string);
        let forbidden: Vec<String> = forbidden.collect();
        anyhow::ensure!(forbidden.is_empty(), "writes were forbidden: {}", shown(&forbidden));
        Ok(writes)
    }
}

/// The number and the first ones.
pub(crate) fn shown(faults: &[String]) -> String {
    let first: Vec<&str> = faults.iter().take(SHOWN).map(String::as_str).collect();
    format!("{} faults:\n  {}", faults.len(), first.join("\n  "))
}

/// A figure of the result.
pub(crate) type Figure = (&'static str, String);

pub(crate) fn seconds(value: f64) -> String {
    format!("{value:.1} s")
}
