//! The managed server: version, image, volume, logins, and what keeps it from being started.

use kube::Resource as _;
use todostack_crds::{
    Reason,
    postgres::{InitScripts, PostgresSpec},
    storage::PostgresStorage,
};

use super::{Inputs, Notes, Place, login, requests};
use crate::{
    credentials::Credentials,
    finding::{Finding, Part},
    names,
    observe::{Lookup, Observed},
    resources::postgres_claim,
    stack::{Postgres, Volume, VolumeSource},
};

/// Resolves the managed server.
pub(super) fn resolve(spec: PostgresSpec, place: &Place, inputs: Inputs<'_>, notes: &mut Notes) -> Postgres {
    let PostgresSpec {
        version,
        image,
        credentials_secret,
        storage,
        parameters,
        init_scripts,
        resources,
        node_selector,
        tolerations,
    } = spec;
    let Inputs { observed, config, .. } = inputs;
    let host = names::database_host(&place.name, &place.namespace, &config.cluster_domain);
    let superuser = Some(login::superuser(&host, inputs));
    let app = login::application(credentials_secret.is_some(), &host, inputs, notes);
    notes.blockers.extend(other_version(&version, observed));
    notes.blockers.extend(shared_export(observed));
    notes.blockers.extend(missing_scripts(observed));
    Postgres {
        image: image.unwrap_or_else(|| format!("{}:{version}", config.postgres_repository)),
        version,
        host,
        dbname: login::APPLICATION.to_owned(),
        credentials: Credentials { superuser, app },
        volume: volume(storage.unwrap_or_default(), place),
        parameters,
        init_scripts: init_scripts.map(|InitScripts { config_map }| config_map.name),
        resources: resources.unwrap_or_else(|| requests("50m", "128Mi", None)),
        node_selector,
        tolerations,
    }
}

fn volume(storage: PostgresStorage, place: &Place) -> Volume {
    let PostgresStorage { size, nfs, storage_class_name } = storage;
    let source = match nfs {
        Some(nfs) => VolumeSource::Nfs {
            server: nfs.server,
            path: nfs.path,
            mount_options: nfs.mount_options,
            volume: names::volume(&place.namespace, &place.name),
        },
        None => VolumeSource::Class(storage_class_name),
    };
    Volume { claim: names::database(&place.name), size, source }
}

/// A claim outlives its stack, and with it the version of the data on it.
fn other_version(version: &str, observed: &Observed) -> Option<Finding> {
    let claim = observed.claim.as_ref()?;
    let held = postgres_claim::version(claim)?;
    (held != version).then(|| Finding {
        part: Part::Storage,
        object: format!("PersistentVolumeClaim {}", claim.metadata.name.as_deref().unwrap_or_default()),
        reason: Reason::VersionMismatch,
        problem: format!("holds the data of Postgres {held}, and the spec asks for {version}"),
        remedy: format!(
            "Set spec.database.postgres.version to \"{held}\", or create another stack and copy the data with pg_dump"
        ),
        evidence: "the spec, and what it names".to_owned(),
        related: Some(claim.object_ref(&())),
        needs_person: true,
    })
}

fn shared_export(observed: &Observed) -> Option<Finding> {
    let rival = observed.rival.as_ref()?;
    Some(Finding {
        part: Part::Storage,
        object: format!("TodoStack {rival}"),
        reason: Reason::VolumeShared,
        problem: "uses the same NFS export, and two servers on one directory destroy it".to_owned(),
        remedy: "Delete this stack, and create it with another path in spec.database.postgres.storage.nfs"
            .to_owned(),
        evidence: "the spec, and what it names".to_owned(),
        related: None,
        needs_person: true,
    })
}

fn missing_scripts(observed: &Observed) -> Option<Finding> {
    let Lookup::Missing(name) = &observed.referenced.init_scripts else { return None };
    Some(Finding {
        part: Part::Database,
        object: format!("ConfigMap {name}"),
        reason: Reason::ConfigMapNotFound,
        problem: "is named by spec.database.postgres.initScripts and is not there".to_owned(),
        remedy: format!("Create it: kubectl create configmap {name} --from-file=init.sql"),
        evidence: "the spec, and what it names".to_owned(),
        related: None,
        needs_person: true,
    })
}
