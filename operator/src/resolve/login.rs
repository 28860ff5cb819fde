//! The logins: what our Secrets hold is kept, what is missing is drawn, what the user brings is read and checked.

use k8s_openapi::api::core::v1::Secret;
use todostack_crds::Reason;

use super::{Inputs, user_secret::UserSecret};
use crate::{
    credentials::{Login, revise},
    diagnose::{Finding, Part},
    observe::Lookup,
    resources::login_secret,
};

/// Name of the superuser, as in the official image.
const SUPERUSER: &str = "postgres";
/// Name of the application's role and database where none is brought.
const APPLICATION: &str = "todo";
/// Postgres's port.
const PORT: &str = "5432";

/// The operator's own role.
pub(super) fn superuser(host: &str, inputs: Inputs<'_>) -> Login {
    let kept = inputs.observed.superuser.as_deref().and_then(login_secret::read);
    let password = kept.as_ref().map_or(&inputs.fresh.superuser_password, |kept| &kept.password).clone();
    let wanted = managed(SUPERUSER, SUPERUSER, password, host);
    revise(wanted, kept.as_ref(), inputs.fresh)
}

/// The API's role on a managed server: generated, or brought by the user.
pub(super) fn application(
    brought: bool,
    host: &str,
    inputs: Inputs<'_>,
    blockers: &mut Vec<Finding>,
) -> Option<Login> {
    let kept = inputs.observed.app.as_deref().and_then(login_secret::read);
    if !brought {
        let password = kept.as_ref().map_or(&inputs.fresh.app_password, |kept| &kept.password).clone();
        let wanted = managed(APPLICATION, APPLICATION, password, host);
        return Some(revise(wanted, kept.as_ref(), inputs.fresh));
    }
    let secret =
        found(&inputs.observed.referenced.credentials, "spec.database.postgres.credentialsSecret", blockers)?;
    let secret = UserSecret::new(secret);
    let username = collect(secret.text(&["username"]), blockers);
    let password = collect(secret.text(&["password"]), blockers);
    let wanted = managed(&username?, APPLICATION, password?, host);
    Some(revise(wanted, kept.as_ref(), inputs.fresh))
}

/// The API's role on somebody else's server.
pub(super) fn external(inputs: Inputs<'_>, blockers: &mut Vec<Finding>) -> Option<Login> {
    let kept = inputs.observed.app.as_deref().and_then(login_secret::read);
    let secret = found(&inputs.observed.referenced.external, "spec.database.external.secret", blockers)?;
    let secret = UserSecret::new(secret);
    let host = collect(secret.text(&["host"]), blockers);
    let dbname = collect(secret.text(&["dbname", "database"]), blockers);
    let username = collect(secret.text(&["username", "user"]), blockers);
    let password = collect(secret.text(&["password"]), blockers);
    let port = if secret.has("port") { collect(secret.text(&["port"]), blockers)? } else { PORT.to_owned() };
    let sslmode =
        if secret.has("sslmode") { Some(collect(secret.text(&["sslmode"]), blockers)?) } else { None };
    let wanted = Login {
        username: username?,
        password: password?,
        dbname: dbname?,
        host: host?,
        port,
        sslmode,
        revision: String::new(),
    };
    Some(revise(wanted, kept.as_ref(), inputs.fresh))
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

fn collect(text: Result<String, Finding>, blockers: &mut Vec<Finding>) -> Option<String> {
    text.map_err(|finding| blockers.push(finding)).ok()
}

fn found<'a>(lookup: &'a Lookup<Secret>, field: &str, blockers: &mut Vec<Finding>) -> Option<&'a Secret> {
    match lookup {
        Lookup::Found(secret) => Some(secret),
        Lookup::NotNamed => None,
        Lookup::Missing(name) => {
            blockers.push(Finding {
                part: Part::Credentials,
                object: format!("Secret {name}"),
                reason: Reason::SecretNotFound,
                problem: format!("is named by {field} and is not there"),
                remedy: format!(
                    "Create it: kubectl create secret generic {name} --from-literal=username=… --from-literal=password=…"
                ),
                needs_person: true,
            });
            None
        }
    }
}
