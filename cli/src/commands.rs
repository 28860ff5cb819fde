//! The commands: what each reads, what it prints, and its exit code. Texts are in `text/`.

use std::{collections::BTreeMap, io::Write as _};

use jiff::Timestamp;
use kube::ResourceExt as _;
use todostack_crds::TodoStack;
use todostack_stack::names;

use crate::{
    access::Access,
    args::{Args, Command, Output},
    cluster,
    error::{Error, NOT_READY},
    examine, inspect,
    kubectl::{self, Psql},
    read::{self, Scope},
    release,
    report::{Health, Mark, Report},
    text,
};

/// Runs a command. Returns its exit code.
pub(crate) async fn run(args: Args) -> Result<u8, Error> {
    let Args { command, cluster } = args;
    let access = Access::open(cluster).await?;
    let now = Timestamp::now();
    match command {
        Command::Status { name, all_namespaces, output } => {
            let scope = Scope { name, ..access.scope(all_namespaces) };
            let reports = inspect::reports(&access.client, &scope, now).await?;
            write(&status(&reports, &scope, output, now)?)?;
            Ok(exit_code(reports.iter().all(|report| report.health == Health::Ready)))
        }
        Command::Explain { name } => {
            let reports = inspect::reports(&access.client, &access.one(&name), now).await?;
            write(&reports.iter().map(text::explain::text).collect::<String>())?;
            Ok(exit_code(reports.iter().all(|report| report.health == Health::Ready)))
        }
        Command::Doctor { all_namespaces } => doctor(&access, all_namespaces, now).await,
        Command::Psql { name, superuser, arguments } => {
            // The username is in a Secret, and the kind of database follows from the spec.
            let snapshots = inspect::snapshots(&access.client, &access.one(&name)).await?;
            let Some(snapshot) = snapshots.first() else { return Err(access.missing(&name)) };
            let psql = Psql {
                superuser,
                has_true_credentials: snapshot.has_true_credentials(),
                terminal: kubectl::has_terminal(),
                arguments: &arguments,
            };
            let arguments = kubectl::psql(&examine::resolve(snapshot, now)?, &psql)?;
            let mut command = access.kubectl();
            command.args(arguments);
            kubectl::run(command)
        }
        Command::Url { name } => {
            let stack = access.stack(&name).await?;
            url(&stack)
        }
        Command::Release { name, yes } => release(&access, &name, yes).await,
        Command::Logs { name, workload, follow, tail } => {
            // kubectl prints nothing for a selector that matches no pod.
            access.stack(&name).await?;
            let mut command = access.kubectl();
            command.args(kubectl::logs(&name, workload, follow, tail));
            kubectl::run(command)
        }
    }
}

impl Access {
    fn scope(&self, all_namespaces: bool) -> Scope {
        Scope { namespace: (!all_namespaces).then(|| self.namespace.clone()), name: None }
    }

    fn one(&self, name: &str) -> Scope {
        Scope { name: Some(name.to_owned()), ..self.scope(false) }
    }

    fn missing(&self, name: &str) -> Error {
        Error::NoStack { name: name.to_owned(), place: self.scope(false).place() }
    }

    async fn stack(&self, name: &str) -> Result<TodoStack, Error> {
        let stacks = read::stacks(&self.client, &self.one(name)).await?;
        stacks.into_iter().next().ok_or_else(|| self.missing(name))
    }
}

fn status(reports: &[Report], scope: &Scope, output: Output, now: Timestamp) -> Result<String, Error> {
    let document = BTreeMap::from([("stacks", reports)]);
    Ok(match output {
        Output::Json => serde_json::to_string_pretty(&document)? + "\n",
        Output::Yaml => serde_saphyr::to_string(&document)?,
        Output::Tree | Output::Wide if reports.is_empty() => {
            format!("No TodoStacks found {}.\n", scope.place())
        }
        Output::Tree | Output::Wide => {
            let wide = output == Output::Wide;
            let texts: Vec<_> = reports.iter().map(|report| text::status::text(report, now, wide)).collect();
            texts.join("\n")
        }
    })
}

async fn doctor(access: &Access, all_namespaces: bool, now: Timestamp) -> Result<u8, Error> {
    let cluster = cluster::read::read(&access.client).await?;
    // Without the CRD, a LIST of stacks would end the command before the checks are printed.
    let reports = if cluster.crd {
        Some(inspect::reports(&access.client, &access.scope(all_namespaces), now).await?)
    } else {
        None
    };
    let checks = cluster::checks(&cluster);
    write(&text::doctor::text(&checks, reports.as_deref(), now))?;
    let are_ready = reports.iter().flatten().all(|report| report.health == Health::Ready);
    Ok(exit_code(are_ready && checks.iter().all(|check| check.mark != Mark::Bad)))
}

async fn release(access: &Access, name: &str, is_confirmed: bool) -> Result<u8, Error> {
    let waiting = release::find(access, access.stack(name).await?).await?;
    if is_confirmed {
        release::release(access, &waiting).await?;
    }
    write(&text::release::text(&waiting.id, &waiting.kept, is_confirmed))?;
    Ok(exit_code(is_confirmed))
}

fn url(stack: &TodoStack) -> Result<u8, Error> {
    let name = stack.name_any();
    let published = stack.status.as_ref().and_then(|status| status.url.clone());
    let url = published.ok_or_else(|| Error::NoUrl(name.clone()))?;
    write(&format!("{url}\n"))?;
    // Names of Services are resolved by the DNS of the cluster only.
    if stack.spec.exposure.as_ref().is_none_or(|it| it.host.is_none()) && url.contains(".svc.") {
        anstream::eprintln!(
            "This URL is reachable only inside the cluster. To forward a local port to it: kubectl --namespace {} port-forward service/{} 8080:http",
            stack.namespace().unwrap_or_default(),
            names::api(&name)
        );
    }
    Ok(0)
}

fn exit_code(is_ready: bool) -> u8 {
    if is_ready { 0 } else { NOT_READY }
}

fn write(text: &str) -> Result<(), Error> {
    anstream::stdout().write_all(text.as_bytes()).map_err(Error::Write)
}
