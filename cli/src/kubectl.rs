//! What kubectl does better than we would: `psql` in the database's pod, and logs. Only its arguments are made here.

use std::{io::IsTerminal as _, process::Command};

use todostack_stack::{
    credentials::{Credentials, Login},
    labels::{self, Component},
    names,
    resources::postgres_stateful_set,
    stack::{Database, External, Stack},
};

use crate::{args::Workload, error::Error};

/// Runs it in the foreground, and gives its exit code.
pub(crate) fn run(mut command: Command) -> Result<u8, Error> {
    let status = command.status().map_err(Error::Kubectl)?;
    // Ended by a signal: the shell's convention is not ours to rebuild, it is no success in any case.
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(crate::error::NO_ANSWER))
}

/// Whether kubectl is to give the pod a terminal.
pub(crate) fn has_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// How psql is to be run.
pub(crate) struct Psql<'a> {
    pub(crate) superuser: bool,
    /// Whether the stack's credentials are the true ones, not those of a placeholder.
    pub(crate) has_true_credentials: bool,
    pub(crate) terminal: bool,
    pub(crate) arguments: &'a [String],
}

/// Arguments for psql over the socket in the pod, where no password is asked for.
pub(crate) fn psql(stack: &Stack, psql: &Psql<'_>) -> Result<Vec<String>, Error> {
    let postgres = match &stack.database {
        Database::Postgres(postgres) => postgres,
        Database::External(external) => {
            return Err(Error::NoServer(external_hint(stack, external, psql.has_true_credentials)));
        }
        Database::Sqlite(_) => {
            return Err(Error::NoServer(format!(
                "{} keeps its todos in a SQLite file, which has no server: use its API: kubectl todostack url {}",
                stack.id, stack.id.name
            )));
        }
    };
    let Credentials { superuser, app } = &postgres.credentials;
    let app = app.as_ref().filter(|_| psql.has_true_credentials);
    let Some(Login { username, .. }) = (if psql.superuser { superuser.as_ref() } else { app }) else {
        return Err(Error::NoServer(format!(
            "the role of {} stands in a Secret that you may not read, or that is not there: pass --superuser",
            stack.id
        )));
    };
    let set = format!("statefulset/{}", names::database(&stack.id.name));
    let container = format!("--container={}", postgres_stateful_set::CONTAINER);
    let terminal = psql.terminal.then_some("--tty");
    let fixed = ["exec", "--stdin"].into_iter().chain(terminal).chain([&*set, &container, "--", "psql"]);
    let connection = [format!("--username={username}"), format!("--dbname={}", postgres.dbname)];
    Ok(fixed.map(str::to_owned).chain(connection).chain(psql.arguments.iter().cloned()).collect())
}

/// What to type where the server is somebody else's. The password is never among it.
fn external_hint(stack: &Stack, external: &External, known: bool) -> String {
    let place = format!("{} has its todos on an external server", stack.id);
    match external.credentials.app.as_ref().filter(|_| known) {
        Some(login) => format!(
            "{place}: from where it answers: psql --host={} --port={} --username={} --dbname={}",
            login.host, login.port, login.username, login.dbname
        ),
        None => format!(
            "{place}: host, port, role and database are in the Secret of spec.database.external.secret"
        ),
    }
}

/// Which logs are wanted.
pub(crate) struct Logs<'a> {
    pub(crate) name: &'a str,
    pub(crate) workload: Workload,
    pub(crate) follow: bool,
    pub(crate) tail: i64,
}

/// Arguments for the logs of one part.
pub(crate) fn logs(logs: &Logs<'_>) -> Vec<String> {
    let component = Component::from(logs.workload);
    let selector =
        format!("--selector={}={},{}={}", labels::STACK, logs.name, labels::COMPONENT, component.as_str());
    let tail = format!("--tail={}", logs.tail);
    let fixed = ["logs", &selector, "--all-containers", "--prefix", &tail].map(str::to_owned);
    fixed.into_iter().chain(logs.follow.then(|| "--follow".to_owned())).collect()
}

#[cfg(test)]
mod tests;
