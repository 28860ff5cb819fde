//! What is measured: how each subject starts, what it is told to create, who it is in the audit log.

mod floor;
mod kro;
mod operator;

use futures::{TryStreamExt as _, stream};
use kube::Client;
use kube::api::{Api, DynamicObject, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::Value;
use todostack_testbed::bare::child::Child;

use crate::args::Subject;
use crate::stacks::{self, Id};
use crate::tracker::Tracker;
use crate::usage::{self, Usage};
use crate::world::{Programs, World};
use crate::{kro_graph, wait};

pub(crate) use operator::{LEASE, Replica, USER, elects_leader};

/// Connections on which stacks are created and the floor applies objects.
pub(crate) const CONNECTIONS: usize = 32;

/// A started subject.
pub(crate) struct Running {
    pub(crate) subject: Subject,
    /// Its user in the audit log.
    pub(crate) user: &'static str,
    /// None of the floor, which is this program.
    pub(crate) process: Option<Child>,
}

impl Running {
    /// Prepares the cluster and starts the subject; returns when it can work.
    pub(crate) async fn start(world: &World, programs: &Programs, subject: Subject) -> anyhow::Result<Self> {
        let process = match subject {
            Subject::Floor => {
                world.install_charts().await?;
                None
            }
            Subject::Operator => {
                world.install_charts().await?;
                Some(operator::start(world, programs, "operator").await?)
            }
            Subject::Kro => {
                kro::install(world)?;
                let child = kro::start(world, programs)?;
                kro::define(world).await?;
                Some(child)
            }
        };
        let user = match subject {
            Subject::Floor => floor::USER,
            Subject::Operator => operator::USER,
            Subject::Kro => kro::USER,
        };
        Ok(Self { subject, user, process })
    }

    /// Starts another process of the subject on the cluster as it is.
    pub(crate) async fn start_again(
        &self,
        world: &World,
        programs: &Programs,
    ) -> anyhow::Result<Option<Child>> {
        Ok(match self.subject {
            Subject::Floor => None,
            Subject::Operator => Some(operator::start(world, programs, "operator").await?),
            Subject::Kro => Some(kro::start(world, programs)?),
        })
    }

    /// The resource whose condition Ready is the subject's report. None of the floor.
    pub(crate) fn resource(&self) -> Option<ApiResource> {
        match self.subject {
            Subject::Floor => None,
            Subject::Operator => Some(todostacks()),
            Subject::Kro => Some(kro::resource()),
        }
    }

    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        self.process.as_ref().map_or_else(|| Ok(Usage::default()), |child| usage::read(child.id()))
    }

    /// Creates the stacks on 32 connections; of the floor, their objects.
    pub(crate) async fn create(&self, world: &World, ids: &[Id], tracker: &Tracker) -> anyhow::Result<()> {
        match self.subject {
            Subject::Floor => floor::apply(world, ids, tracker).await,
            Subject::Operator => {
                let stacks = ids.iter().map(|id| (id.clone(), stacks::todostack(id))).collect();
                create_all(&world.client, &todostacks(), stacks, tracker).await
            }
            Subject::Kro => {
                let stacks = ids.iter().map(|id| (id.clone(), kro_graph::instance(id))).collect();
                create_all(&world.client, &kro::resource(), stacks, tracker).await
            }
        }
    }

    /// A patch of a stack that rolls its API's pods, to that log level.
    pub(crate) fn edit(&self, level: &str) -> Value {
        match self.subject {
            Subject::Kro => serde_json::json!({"spec": {"logLevel": level}}),
            Subject::Floor | Subject::Operator => serde_json::json!({"spec": {"api": {"logLevel": level}}}),
        }
    }
}

/// Starts a further replica of the operator.
pub(crate) async fn start_replica(world: &World, programs: &Programs, name: &str) -> anyhow::Result<Child> {
    operator::start(world, programs, name).await
}

pub(crate) fn todostacks() -> ApiResource {
    let kind = GroupVersionKind::gvk(todostack_crds::GROUP, todostack_crds::VERSION, "TodoStack");
    ApiResource::from_gvk_with_plural(&kind, "todostacks")
}

pub(crate) async fn create_all(
    client: &Client,
    resource: &ApiResource,
    stacks: Vec<(Id, Value)>,
    tracker: &Tracker,
) -> anyhow::Result<()> {
    stream::iter(stacks.into_iter().map(anyhow::Ok))
        .try_for_each_concurrent(CONNECTIONS, async |(id, stack)| {
            let api: Api<DynamicObject> = stacks::api(client, &id, resource);
            tracker.created(&id);
            api.create(&PostParams::default(), &serde_json::from_value(stack)?).await?;
            Ok(())
        })
        .await
}

/// Waits until `http://127.0.0.1:PORT/readyz` answers with 200.
async fn await_probe(child: &mut Child, port: u16, path: &str) -> anyhow::Result<()> {
    let request = format!("GET {path} HTTP/1.0\r\n\r\n");
    let what = format!("{} to be ready", child.name());
    wait::until(&what, std::time::Duration::from_mins(1), async || {
        if let Some(why) = child.exited() {
            anyhow::bail!(why);
        }
        Ok(probe(port, &request).map_err(|error| error.to_string()))
    })
    .await
}

fn probe(port: u16, request: &str) -> anyhow::Result<()> {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect((std::net::Ipv4Addr::LOCALHOST, port))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    anyhow::ensure!(answer.starts_with("HTTP/1.0 200") || answer.starts_with("HTTP/1.1 200"), answer);
    Ok(())
}

fn free_port() -> std::io::Result<u16> {
    Ok(std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
