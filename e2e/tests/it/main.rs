//! All tests on a real cluster, in one program so that they are linked once. What they share is in the
//! library.

mod admission;
mod credential_rotation;
mod credentials;
mod database_failures;
mod deletion;
mod events;
mod examples;
mod exposure;
mod helm;
mod kubectl;
mod lifecycle;
mod managed_resources;
mod missing_references;
mod nfs;
mod nfs_exports;
mod operator;
mod outages;
mod passwords;
mod plugin;
mod pod_failures;
mod quiescence;
mod secret_leaks;
mod tls;
mod validation;
mod volume_failures;
