//! Reports on what is on the volume and on the image that should read it: another version, layout or
//! database, and an initialization that failed.

use strum::IntoEnumIterator as _;
use todostack_crds::{Reason, postgres::Version};

use super::{Access, Finding, Part, Report};
use crate::{
    labels::{self, Component},
    resolve::identity::ACCEPT,
    stack::{Database, Postgres, Stack},
};

/// The finding, still without its evidence. None for other checks.
pub(super) fn finding(report: &Report, stack: &Stack) -> Option<Finding> {
    let Database::Postgres(postgres) = &stack.database else { return None };
    let Report { check, path, found, wanted } = report;
    let volume = |reason, problem: String, remedy: String| {
        Finding::new(Part::Storage, reason, "The volume").problem(problem).remedy(remedy)
    };
    Some(match check.as_str() {
        "image" | "entrypoint" | "user" => unusable_image(report, postgres)?,
        "version" => volume(
            Reason::VersionMismatch,
            format!("contains data of Postgres {found} in {path}, and the spec asks for Postgres {wanted}"),
            other_version(report, postgres),
        ),
        "layout" => volume(
            Reason::VersionMismatch,
            format!(
                "contains data of Postgres {found} in {}, where this server does not look for it",
                directory(path)
            ),
            move_in_place(report, &Access::from(stack)),
        ),
        "configless" => volume(
            Reason::VersionMismatch,
            format!("contains data of Postgres {found} in {}, without its postgresql.conf", directory(path)),
            "Use an empty volume, and copy the data with pg_dump from a server that has its configuration"
                .to_owned(),
        ),
        "lost" => volume(
            Reason::VolumeLost,
            format!(
                "is empty, and the database of this stack has the system identifier {wanted}: nothing is initialized in its place"
            ),
            format!(
                "Bring its volume back, or, to begin with an empty database, run: {}",
                accept(stack, wanted)
            ),
        ),
        "replaced" => volume(
            Reason::VolumeReplaced,
            format!(
                "contains another database: its system identifier is {found}, and that of the database of this stack is {wanted}"
            ),
            format!(
                "Bring its volume back, or, to use the database that is there, run: {}",
                accept(stack, wanted)
            ),
        ),
        "script" => Finding::new(Part::Database, Reason::InitScriptFailed, format!("Init script {path}"))
            .problem(format!("failed, so the database is not initialized: {}", found.trim_end_matches('.')))
            .remedy(begin_again(stack, postgres)),
        _ => return None,
    })
}

/// An image that has another version, or does not work like the official one.
fn unusable_image(report: &Report, postgres: &Postgres) -> Option<Finding> {
    const OFFICIAL: &str = "Correct spec.database.postgres.image: it must work like the official image";
    let Report { check, found, wanted, .. } = report;
    let (reason, problem, remedy) = match check.as_str() {
        "image" => (
            Reason::VersionMismatch,
            format!("has Postgres {found}, and the spec asks for Postgres {wanted}"),
            other_image(report, postgres),
        ),
        "entrypoint" => (
            Reason::ContainerCommandNotFound,
            format!("has no {wanted}, with which the operator starts Postgres"),
            OFFICIAL.to_owned(),
        ),
        "user" => (
            Reason::ImageUserMismatch,
            format!("has no user with uid {wanted}, as which Postgres runs, and initdb requires one"),
            match found.as_str() {
                "" => OFFICIAL.to_owned(),
                uid => format!("Set spec.database.postgres.runAsUser: {uid}"),
            },
        ),
        _ => return None,
    };
    let finding = Finding::new(Part::Database, reason, format!("Image {}", postgres.image));
    Some(finding.problem(problem).remedy(remedy))
}

fn directory(path: &str) -> &str {
    if path.is_empty() { "its root directory" } else { path }
}

/// Once there is a database, the version in the spec cannot change.
fn can_become(version: &str, postgres: &Postgres) -> bool {
    postgres.system_identifier.is_none() && Version::iter().any(|known| known.to_string() == version)
}

fn other_image(report: &Report, postgres: &Postgres) -> String {
    let Report { found, wanted, .. } = report;
    let image = format!("spec.database.postgres.image to an image of Postgres {wanted}");
    if can_become(found, postgres) {
        format!("Set spec.database.postgres.version: \"{found}\", or {image}")
    } else {
        format!("Set {image}")
    }
}

fn other_version(report: &Report, postgres: &Postgres) -> String {
    let Report { found, .. } = report;
    if can_become(found, postgres) {
        format!(
            "Set spec.database.postgres.version: \"{found}\", or create another stack and copy the data with pg_dump"
        )
    } else {
        format!(
            "Copy the data with pg_dump from a server of Postgres {found} to a stack with an empty volume"
        )
    }
}

/// Directories in a data directory are not those of a layout that holds it, `18` and `docker`.
fn move_in_place(report: &Report, access: &Access) -> String {
    let Report { path, wanted, .. } = report;
    let Access { place, root, user } = access;
    let parent = wanted.rsplit_once('/').map_or("", |(parent, _)| parent);
    let moved = if wanted.starts_with(path.as_str()) || path.starts_with(wanted.as_str()) {
        format!("mkdir -p {root}{wanted} && mv {root}{path}/[A-Zabce-z]* {root}{wanted}")
    } else {
        format!("mkdir -p {root}{parent} && mv {root}{path} {root}{wanted}")
    };
    format!("{place}, move it: {moved} && chown -R {user} {root}{parent}")
}

fn accept(stack: &Stack, identifier: &str) -> String {
    let id = &stack.id;
    format!("kubectl -n {} annotate todostack {} --overwrite {ACCEPT}={identifier}", id.namespace, id.name)
}

/// Each start of a database that is not initialized begins again (`postgres_start.sh`).
fn begin_again(stack: &Stack, postgres: &Postgres) -> String {
    let scripts = postgres.init_scripts.as_deref().unwrap_or("…");
    let pods = labels::selector_text(&stack.id.name, Component::Database);
    format!(
        "Correct it in ConfigMap {scripts}, and run all scripts again on an empty database: kubectl -n {} delete pods -l {pods}",
        stack.id.namespace
    )
}

#[cfg(test)]
mod tests;
