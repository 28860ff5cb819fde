//! Credentials: those in the operator's Secrets are kept, missing ones are generated, those of users' Secrets
//! are read and checked.

use k8s_openapi::api::core::v1::Secret;
use todostack_crds::Reason;

use super::{Inputs, user_secret::UserSecret};
use crate::{
    credentials::{Login, revise},
    finding::Finding,
    observed::Lookup,
    part::Part,
    resources::login_secret,
};

/// Name of the superuser in the official image.
const SUPERUSER: &str = "postgres";
/// Name of the application's role and database, unless a user's Secret has another.
pub(super) const APPLICATION: &str = "todo";
const PORT: &str = "5432";

/// The credentials of the superuser, which only the operator's own pods use.
pub(super) fn superuser(host: &str, inputs: Inputs<'_>) -> Login {
    let kept = inputs.observed.superuser.as_deref().and_then(login_secret::read);
    let password = kept.as_ref().map_or(&inputs.generated.superuser_password, |kept| &kept.password).clone();
    let desired = managed(SUPERUSER, SUPERUSER, password, host);
    revise(desired, kept.as_ref(), inputs.generated)
}

/// The API's credentials on a managed server: generated, or from the user's Secret if the spec references
/// one.
pub(super) fn application(
    is_referenced: bool,
    host: &str,
    inputs: Inputs<'_>,
    findings: &mut Vec<Finding>,
) -> Option<Login> {
    let kept = inputs.observed.app.as_deref().and_then(login_secret::read);
    if !is_referenced {
        let password = kept.as_ref().map_or(&inputs.generated.app_password, |kept| &kept.password).clone();
        let desired = managed(APPLICATION, APPLICATION, password, host);
        return Some(revise(desired, kept.as_ref(), inputs.generated));
    }
    let secret =
        found(&inputs.observed.referenced.credentials, "spec.database.postgres.credentialsSecret", findings)?;
    let secret = UserSecret::new(secret);
    let username = collect(secret.text(&["username"]), findings);
    let password = collect(secret.password(), findings);
    findings.extend(secret.trailing_newlines(&["username", "password"]));
    let desired = managed(&username?, APPLICATION, password?, host);
    Some(revise(desired, kept.as_ref(), inputs.generated))
}

/// The API's credentials on an external server.
pub(super) fn external(inputs: Inputs<'_>, findings: &mut Vec<Finding>) -> Option<Login> {
    let kept = inputs.observed.app.as_deref().and_then(login_secret::read);
    let secret = found(&inputs.observed.referenced.external, "spec.database.external.secret", findings)?;
    let secret = UserSecret::new(secret);
    let host = collect(secret.text(&["host"]), findings);
    let dbname = collect(secret.text(&["dbname", "database"]), findings);
    let username = collect(secret.text(&["username", "user"]), findings);
    let password = collect(secret.password(), findings);
    let port = if secret.has("port") { collect(secret.text(&["port"]), findings)? } else { PORT.to_owned() };
    let sslmode =
        if secret.has("sslmode") { Some(collect(secret.text(&["sslmode"]), findings)?) } else { None };
    let keys = ["host", "port", "dbname", "username", "user", "password", "sslmode"];
    findings.extend(secret.trailing_newlines(&keys));
    let desired = Login {
        username: username?,
        password: password?,
        dbname: dbname?,
        host: host?,
        port,
        sslmode,
        revision: String::new(),
    };
    Some(revise(desired, kept.as_ref(), inputs.generated))
}

fn managed(username: &str, dbname: &str, password: String, host: &str) -> Login {
    Login {
        username: username.to_owned(),
        password,
        dbname: dbname.to_owned(),
        host: host.to_owned(),
        port: PORT.to_owned(),
        sslmode: None,
        revision: String::new(),
    }
}

fn collect(text: Result<String, Box<Finding>>, findings: &mut Vec<Finding>) -> Option<String> {
    text.map_err(|finding| findings.push(*finding)).ok()
}

fn found<'a>(lookup: &'a Lookup<Secret>, field: &str, findings: &mut Vec<Finding>) -> Option<&'a Secret> {
    match lookup {
        Lookup::Found(secret) => Some(secret),
        Lookup::NotNamed => None,
        Lookup::Missing(name) => {
            let finding =
                Finding::new(Part::Credentials, Reason::SecretNotFound, format!("Secret {name}"))
                    .problem(format!("is referenced by {field} and does not exist"))
                    .remedy(format!(
                        "Create it: kubectl create secret generic {name} --from-literal=username=… --from-literal=password=…"
                    ))
                    .evident_in_spec();
            findings.push(finding);
            None
        }
    }
}
