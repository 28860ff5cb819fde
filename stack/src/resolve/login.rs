//! Credentials: those in the operator's Secrets are kept, missing ones are generated, those of users' Secrets
//! are read and checked.

use k8s_openapi::api::core::v1::Secret;
use todostack_crds::Reason;

use super::{
    Inputs, change,
    user_secret::{UserSecret, sendable},
};
use crate::{
    credentials::{DEFAULT_SSL_MODE, Login, SUPERUSER, Stored, revise},
    finding::Finding,
    hash,
    observed::{Lookup, Observed},
    part::Part,
    resources::login_secret,
    stack_ref::StackRef,
};

/// Name of the application's role and database, unless a user's Secret has another.
pub(super) const APPLICATION: &str = "todo";
/// Generated usernames, in turn.
const GENERATED: [&str; 2] = [APPLICATION, "todo_b"];
const PORT: &str = "5432";

/// A managed server, as credentials name it.
#[derive(Clone, Copy)]
pub(super) struct Server<'a> {
    pub(super) id: &'a StackRef,
    pub(super) host: &'a str,
    /// System identifier of the database that was given up last.
    pub(super) given_up: &'a str,
    /// Whether it accepts some credentials. Before, pods would read ones that it has never been asked to
    /// accept while it already accepts others.
    pub(super) is_migrated: bool,
}

/// The credentials of the superuser, which only the operator's own pods use.
pub(super) fn superuser(server: Server<'_>, inputs: Inputs<'_>) -> Login {
    let stored = inputs.observed.superuser.as_deref().map(login_secret::read);
    let password = password(stored.as_ref(), &inputs.generated.superuser_password);
    let desired = managed(SUPERUSER, SUPERUSER, password, server);
    // The server is restarted for another revision, and need not be for another host name.
    let host = desired.host.clone();
    let known = stored.as_ref().map_or(&host, |stored| &stored.login.host).clone();
    Login { host, ..revise(Login { host: known, ..desired }, stored.as_ref(), inputs.generated) }
}

/// The API's credentials on a managed server: generated, or from the user's Secret if the spec references
/// one.
pub(super) fn application(
    is_referenced: bool,
    server: Server<'_>,
    inputs: Inputs<'_>,
    findings: &mut Vec<Finding>,
) -> Option<Login> {
    let stored = latest(inputs.observed);
    if !is_referenced {
        return Some(revise(generated(stored.as_ref(), server, inputs), stored.as_ref(), inputs.generated));
    }
    let reference = Reference {
        field: "spec.database.postgres.credentialsSecret",
        further_keys: "",
        namespace: &server.id.namespace,
    };
    let secret = reference.find(&inputs.observed.referenced.credentials, findings)?;
    let username = collect(secret.role(), findings);
    let password = collect(secret.password(), findings);
    findings.extend(secret.trailing_newlines(&["username", "password"]));
    let desired = managed(&username?, APPLICATION, password?, server);
    Some(revise(desired, stored.as_ref(), inputs.generated))
}

/// The API's credentials on an external server.
pub(super) fn external(id: &StackRef, inputs: Inputs<'_>, findings: &mut Vec<Finding>) -> Option<Login> {
    let stored = latest(inputs.observed);
    let reference = Reference {
        field: "spec.database.external.secret",
        further_keys: "--from-literal=host=… --from-literal=dbname=… ",
        namespace: &id.namespace,
    };
    let secret = reference.find(&inputs.observed.referenced.external, findings)?;
    let host = collect(secret.host(), findings);
    let dbname = collect(secret.dbname(), findings);
    let username = collect(secret.external_role(), findings);
    let password = collect(secret.password(), findings);
    let port = collect(secret.port(), findings);
    let sslmode = collect(secret.sslmode(), findings);
    let root_certificates = collect(secret.root_certificates(), findings);
    let keys = ["host", "port", "dbname", "username", "user", "password", "sslmode"];
    findings.extend(secret.trailing_newlines(&keys));
    let desired = Login {
        username: username?,
        password: password?,
        dbname: dbname?,
        host: host?,
        port: port?.unwrap_or_else(|| PORT.to_owned()),
        sslmode: sslmode?.unwrap_or_else(|| DEFAULT_SSL_MODE.to_owned()),
        root_certificates: root_certificates?,
        rotation: String::new(),
        given_up: String::new(),
        revision: String::new(),
    };
    Some(revise(desired, stored.as_ref(), inputs.generated))
}

/// What the server was asked to accept last.
fn latest(observed: &Observed) -> Option<Stored> {
    observed.next.as_deref().or(observed.app.as_deref()).map(login_secret::read)
}

/// Generated credentials: the stored ones, or others in turn if a rotation was asked for.
fn generated(stored: Option<&Stored>, server: Server<'_>, inputs: Inputs<'_>) -> Login {
    let used = stored.map(|stored| stored.login.username.as_str());
    let used = GENERATED.iter().find(|name| used == Some(*name)).copied().unwrap_or(APPLICATION);
    let rotation = stored.map(|stored| stored.login.rotation.as_str()).unwrap_or_default();
    let new = inputs.generated.app_password.as_str();
    // A value of the annotation may be anything, and need not be shown with the credentials.
    let wanted = inputs.rotate.map(|rotate| hash::long(&[rotate]));
    let is_due = |wanted: &&String| {
        let is_wanted = stored.is_some() && wanted.as_str() != rotation;
        is_wanted && server.is_migrated && !change::is_busy(inputs.observed)
    };
    if let Some(wanted) = wanted.as_ref().filter(is_due) {
        let other = GENERATED.iter().find(|name| **name != used).copied().unwrap_or(APPLICATION);
        let desired = managed(other, APPLICATION, new.to_owned(), server);
        return Login { rotation: wanted.clone(), ..desired };
    }
    let rotation = if stored.is_none() { wanted.as_deref().unwrap_or_default() } else { rotation };
    let desired = managed(used, APPLICATION, password(stored, new), server);
    Login { rotation: rotation.to_owned(), ..desired }
}

fn managed(username: &str, dbname: &str, password: String, server: Server<'_>) -> Login {
    Login {
        username: username.to_owned(),
        password,
        dbname: dbname.to_owned(),
        host: server.host.to_owned(),
        port: PORT.to_owned(),
        sslmode: DEFAULT_SSL_MODE.to_owned(),
        root_certificates: String::new(),
        rotation: String::new(),
        given_up: server.given_up.to_owned(),
        revision: String::new(),
    }
}

/// The stored password, unless it was removed or replaced by one that cannot be used.
fn password(stored: Option<&Stored>, generated: &str) -> String {
    let stored = stored.map(|stored| stored.login.password.as_str());
    let is_usable =
        |password: &&str| !password.is_empty() && !password.contains(char::is_control) && sendable(password);
    stored.filter(is_usable).unwrap_or(generated).to_owned()
}

fn collect<T>(value: Result<T, Box<Finding>>, findings: &mut Vec<Finding>) -> Option<T> {
    value.map_err(|finding| findings.push(*finding)).ok()
}

/// A field of the spec that names a Secret.
struct Reference<'a> {
    field: &'static str,
    /// Options of `kubectl create secret` for the keys beside username and password.
    further_keys: &'static str,
    namespace: &'a str,
}

impl Reference<'_> {
    fn find<'a>(&self, lookup: &'a Lookup<Secret>, findings: &mut Vec<Finding>) -> Option<UserSecret<'a>> {
        let Self { field, further_keys, namespace } = self;
        match lookup {
            Lookup::Found(secret) => Some(UserSecret::new(secret)),
            Lookup::NotNamed => None,
            Lookup::Missing(name) => {
                let finding = Finding::new(Part::Credentials, Reason::SecretNotFound, format!("Secret {name}"))
                    .problem(format!("is referenced by {field} and does not exist"))
                    .remedy(format!(
                        "Create it: kubectl -n {namespace} create secret generic {name} {further_keys}--from-literal=username=… --from-literal=password=…"
                    ))
                    .evident_in_spec();
                findings.push(finding);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
