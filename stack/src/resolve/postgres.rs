//! The managed server: version, image, volume, credentials, and what prevents its start.

use kube::{Resource as _, ResourceExt as _};
use todostack_crds::{
    Reason,
    postgres::{InitScripts, PostgresSpec, Version},
    storage::PostgresStorage,
};

use super::{Inputs, Subject, change, export, login, requests, storage};
use crate::{
    credentials::Credentials,
    finding::Finding,
    names,
    observed::{Lookup, Observed},
    part::Part,
    resources::postgres_claim,
    stack::{Postgres, VolumeSource},
    stack_ref::StackRef,
};

pub(super) fn resolve(
    spec: PostgresSpec,
    subject: &Subject<'_>,
    inputs: Inputs<'_>,
    findings: &mut Vec<Finding>,
) -> Postgres {
    let PostgresSpec {
        version,
        image,
        run_as_user,
        credentials_secret,
        // Part of `Inputs::rotate`.
        rotation: _,
        storage,
        parameters,
        init_scripts,
        resources,
        pods,
    } = spec;
    let Inputs { observed, config, .. } = inputs;
    let Subject { id, identity, is_migrated } = subject;
    let host = names::database_host(&id.name, &id.namespace, &config.cluster_domain);
    let server = login::Server { id, host: &host, given_up: &identity.given_up, is_migrated: *is_migrated };
    let superuser = Some(login::superuser(server, inputs));
    let app = login::application(credentials_secret.is_some(), server, inputs, findings);
    let change = app.as_ref().map(|app| change::change(app, true, inputs.observed)).unwrap_or_default();
    // Before a database exists, the version may change.
    findings.extend(identity.current.as_ref().and_then(|_| other_version(version, observed)));
    let wanted = wanted(storage.unwrap_or_default(), id);
    findings.extend(export::not_allowed(&wanted.source, id, config));
    findings.extend(export::shared(observed));
    findings.extend(export::confined(&wanted.source, observed));
    findings.extend(missing_scripts(id, observed));
    Postgres {
        image: image.unwrap_or_else(|| format!("{}:{version}", config.postgres_repository)),
        version,
        run_as_user,
        system_identifier: identity.current.clone(),
        host,
        dbname: login::APPLICATION.to_owned(),
        credentials: Credentials { superuser, app, change },
        volume: storage::resolve(wanted, id, inputs, findings),
        parameters,
        init_scripts: init_scripts.map(|InitScripts { config_map }| config_map.name),
        resources: resources.unwrap_or_else(|| requests("50m", "256Mi", None)),
        pods,
    }
}

fn wanted(storage: PostgresStorage, id: &StackRef) -> storage::Wanted {
    let PostgresStorage { size, nfs, storage_class_name } = storage;
    let source = match nfs {
        Some(nfs) => VolumeSource::Nfs {
            server: nfs.server,
            path: nfs.path,
            mount_options: nfs.mount_options,
            volume: names::volume(&id.namespace, &id.name),
        },
        None => VolumeSource::Class(storage_class_name),
    };
    storage::Wanted { claim: names::database(&id.name), size, source }
}

/// A PersistentVolumeClaim outlives its stack, and with it the version of its data. Until there is data, the
/// version may change.
fn other_version(version: Version, observed: &Observed) -> Option<Finding> {
    let claim = observed.claim.as_ref()?;
    let held = postgres_claim::version(claim)?;
    (held != version.to_string()).then(|| {
        let object = format!("PersistentVolumeClaim {}", claim.name_any());
        Finding::new(Part::Storage, Reason::VersionMismatch, object)
            .problem(format!("contains data of Postgres {held}, and the spec asks for Postgres {version}"))
            .remedy(format!(
                "Set spec.database.postgres.version to \"{held}\", or create another stack and copy the data with pg_dump"
            ))
            .evident_in_spec()
            .related(claim.object_ref(&()))
    })
}

fn missing_scripts(id: &StackRef, observed: &Observed) -> Option<Finding> {
    let Lookup::Missing(name) = &observed.referenced.init_scripts else { return None };
    Some(
        Finding::new(Part::Database, Reason::ConfigMapNotFound, format!("ConfigMap {name}"))
            .problem("is referenced by spec.database.postgres.initScripts and does not exist")
            .remedy(format!(
                "Create it: kubectl -n {} create configmap {name} --from-file=init.sql",
                id.namespace
            ))
            .evident_in_spec(),
    )
}
