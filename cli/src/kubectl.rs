//! Commands that run kubectl: `psql` in the database pod, and logs. Only the arguments are made here.

use std::{io::IsTerminal as _, process::Command};

use todostack_stack::{
    credentials::{Credentials, Login},
    labels::{self, Component},
    names,
    resources::postgres_stateful_set,
    stack::{Database, External, Stack},
};

use crate::{args::Workload, error::Error};

/// Runs kubectl in the foreground. Returns its exit code.
pub(crate) fn run(mut command: Command) -> Result<u8, Error> {
    let status = command.status().map_err(Error::Kubectl)?;
    // A program that a signal stopped has no exit code.
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(crate::error::FAILED))
}

/// Whether kubectl should allocate a terminal in the pod.
pub(crate) fn has_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

pub(crate) struct Psql<'a> {
    pub(crate) superuser: bool,
    /// Whether the stack's credentials are the true ones, not those of a placeholder.
    pub(crate) has_true_credentials: bool,
    pub(crate) terminal: bool,
    pub(crate) arguments: &'a [String],
}

/// Arguments for psql over the socket in the pod, which needs no password.
pub(crate) fn psql(stack: &Stack, psql: &Psql<'_>) -> Result<Vec<String>, Error> {
    let postgres = match &stack.database {
        Database::Postgres(postgres) => postgres,
        Database::External(external) => {
            return Err(Error::NoServer(external_command(stack, external, psql.has_true_credentials)));
        }
        Database::Sqlite(_) => {
            return Err(Error::NoServer(format!(
                "{} stores its todos in a SQLite file, which has no server: use the API: kubectl todostack url {}",
                stack.id, stack.id.name
            )));
        }
    };
    let Credentials { superuser, app, change: _ } = &postgres.credentials;
    let app = app.as_ref().filter(|_| psql.has_true_credentials);
    let Some(Login { username, .. }) = (if psql.superuser { superuser.as_ref() } else { app }) else {
        return Err(Error::NoServer(format!(
            "the username for {} is in a Secret that does not exist or that you are not allowed to read: pass --superuser",
            stack.id
        )));
    };
    // By the StatefulSet, so that kubectl chooses the pod that runs.
    let set = format!("statefulset/{}", names::database(&stack.id.name));
    let container = format!("--container={}", postgres_stateful_set::CONTAINER);
    let terminal = psql.terminal.then_some("--tty");
    let fixed = ["exec", "--stdin"].into_iter().chain(terminal).chain([&*set, &container, "--", "psql"]);
    let connection = [format!("--username={username}"), format!("--dbname={}", postgres.dbname)];
    Ok(fixed.map(str::to_owned).chain(connection).chain(psql.arguments.iter().cloned()).collect())
}

/// The command to run against an external server, without the password.
fn external_command(stack: &Stack, external: &External, is_known: bool) -> String {
    let problem = format!("{} uses an external database", stack.id);
    match external.credentials.app.as_ref().filter(|_| is_known) {
        Some(login) => format!(
            "{problem}: where it is reachable, run psql --host={} --port={} --username={} --dbname={}",
            login.host, login.port, login.username, login.dbname
        ),
        None => format!(
            "{problem}: its host, port, username and dbname are in the Secret of spec.database.external.secret"
        ),
    }
}

/// Arguments for the logs of all pods of a workload.
pub(crate) fn logs(name: &str, workload: Workload, follow: bool, tail: i64) -> Vec<String> {
    let component = Component::from(workload).as_str();
    let selector = format!("--selector={}={name},{}={component}", labels::STACK, labels::COMPONENT);
    let tail = format!("--tail={tail}");
    let fixed = ["logs", &selector, "--all-containers", "--prefix", &tail].map(str::to_owned);
    fixed.into_iter().chain(follow.then(|| "--follow".to_owned())).collect()
}

#[cfg(test)]
mod tests;
