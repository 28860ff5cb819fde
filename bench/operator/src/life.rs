//! The life of one subject on one control plane: stacks are created, then the scenarios follow.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use todostack_testbed::bare::Settings;
use tokio::task::JoinSet;

use crate::args::{Args, Scenario, Subject};
use crate::audit::{Audit, Requests};
use crate::result::Measurement;
use crate::stacks::Id;
use crate::subject::Running;
use crate::tracker::Tracker;
use crate::world::{Programs, World};
use crate::{scenario, wait};

/// What happens once a subject has sent no request for this time: it has no work left.
const QUIET: Duration = Duration::from_secs(3);

pub(crate) struct Life<'a> {
    pub(crate) args: &'a Args,
    pub(crate) programs: &'a Programs,
    pub(crate) tracker: Tracker,
    pub(crate) ids: Vec<Id>,
    pub(crate) measurement: Measurement,
    // In the order in which they end: watches, the subject, its cluster.
    _tasks: JoinSet<()>,
    pub(crate) running: Running,
    pub(crate) world: World,
}

/// A number of stacks, or the scenario with broken ones.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Case {
    Stacks(usize),
    Broken(usize),
}

/// Measures one subject with one case.
pub(crate) async fn measure(
    args: &Args,
    programs: &Programs,
    subject: Subject,
    case: Case,
) -> anyhow::Result<Measurement> {
    let settings = Settings { controller_manager_qps: args.controller_manager_qps };
    let world = World::start(programs, settings, args.keep).await?;
    let running = Running::start(&world, programs, subject).await?;
    let mut tasks = JoinSet::new();
    let tracker = Tracker::start(&world.client, running.resource(), &mut tasks);
    let (count, is_broken) = match case {
        Case::Stacks(count) => (count, false),
        Case::Broken(count) => (count, true),
    };
    let ids = (0..count).map(Id::number).collect();
    let measurement = Measurement::new(subject.name(), count, is_broken);
    let mut life = Life { args, programs, world, running, tracker, ids, measurement, _tasks: tasks };
    if is_broken {
        scenario::broken::run(&mut life).await?;
    } else {
        scenario::create::run(&mut life).await?;
        life.follow().await?;
    }
    Ok(life.measurement)
}

impl Life<'_> {
    async fn follow(&mut self) -> anyhow::Result<()> {
        let scenarios = &self.args.scenarios;
        for scenario in scenarios {
            if self.running.subject == Subject::Floor {
                return Ok(());
            }
            let is_own = self.running.subject == Subject::Operator;
            match scenario {
                Scenario::Idle => scenario::idle::run(self).await?,
                Scenario::Drift => scenario::drift::run(self).await?,
                Scenario::Edits => scenario::edits::run(self).await?,
                Scenario::Restart => scenario::restart::run(self).await?,
                Scenario::Foreign if is_own => scenario::foreign::run(self).await?,
                Scenario::Takeover if is_own => scenario::takeover::run(self).await?,
                // The last two have control planes of their own (`trial.rs`).
                Scenario::Foreign
                | Scenario::Takeover
                | Scenario::Broken
                | Scenario::Chaos
                | Scenario::Shards
                | Scenario::Upgrade => {}
            }
        }
        Ok(())
    }

    /// The subject's requests from now on.
    pub(crate) fn audit(&self) -> anyhow::Result<Audit> {
        Audit::new(self.world.plane.audit_log(), self.running.user)
    }

    /// Waits until the subject has sent no request for some seconds.
    pub(crate) async fn quiet(&self, audit: &mut Audit, requests: &mut Requests) -> anyhow::Result<()> {
        let started = Instant::now();
        let begun = Timestamp::now();
        wait::until("the subject to have no work left", Duration::from_mins(10), async || {
            audit.read(requests)?;
            let last = requests.last.unwrap_or(begun).max(begun);
            let idle = Duration::try_from(Timestamp::now() - last).unwrap_or_default();
            // The log is read no more often than necessary while others are measured.
            wait::pause(Duration::from_millis(300)).await;
            let total = started.elapsed().as_secs();
            Ok(if idle > QUIET {
                Ok(())
            } else {
                Err(format!("{} writes after {total} s", requests.writes()))
            })
        })
        .await
    }
}
