//! What a status must not depend on.

use serde_json::json;

use super::*;
use crate::{
    applied::Applied,
    credentials::GeneratedSecrets,
    diagnose::{Evidence, diagnose},
    fixtures::{config, now, todostack},
    managed,
    observed::Lookup,
    requirements::Requirements,
    resolve::{Inputs, resolve},
    stack_ref::StackRef,
};

const SPECS: [&str; 5] = [
    "{}",
    "{exposure: {host: h}, database: {postgres: {storage: {nfs: {server: nas, path: /e}}}}}",
    "{database: {postgres: {credentialsSecret: {name: own}}}}",
    "{database: {external: {secret: {name: own}}}}",
    "{database: {sqlite: {}}}",
];

type Change<'a> = &'a dyn Fn(&mut Observed, &mut Applied);

// The status of a stack none of whose credentials are stored.
fn status_with(spec: &str, change: Change<'_>, random: &str) -> TodoStackStatus {
    let todostack = todostack(spec);
    let (mut observed, mut applied) = (Observed::default(), Applied::default());
    let own = json!({"metadata": {"name": "own"}, "data": {
        "username": "b3du", "password": "b3du", "host": "aG9zdA==", "dbname": "b3du"}});
    let own = || Lookup::Found(Box::new(serde_json::from_value(own.clone()).unwrap()));
    (observed.referenced.credentials, observed.referenced.external) = (own(), own());
    change(&mut observed, &mut applied);
    let generated = GeneratedSecrets {
        superuser_password: format!("s-{random}"),
        app_password: format!("a-{random}"),
        revision: random.to_owned(),
    };
    let inputs =
        Inputs { observed: &observed, generated: &generated, config: &config(), rotate: None, now: now() };
    let stack = resolve(&todostack, inputs).unwrap();
    let findings = diagnose(Evidence { stack: &stack, observed: &observed, applied: &applied, now: now() });
    let view = View { stack: &stack, observed: &observed, findings: &findings };
    let verdicts = conditions::evaluate(view);
    status(view, &verdicts, Before { status: &TodoStackStatus::default(), now: now() })
}

#[test]
fn no_status_depends_on_the_random_values_of_a_reconcile() {
    for spec in SPECS {
        let todostack = todostack(spec);
        let id = StackRef::try_from(&todostack).unwrap();
        let keys = managed::expected(&id, &Requirements::from(&todostack.spec));
        let keys = || keys.clone();
        let changes: [Change<'_>; 4] = [
            &|_, _| {},
            &|observed, _| observed.foreign = keys(),
            &|observed, _| observed.leftover = keys(),
            &|_, applied| {
                applied.rejected = keys().into_iter().map(|key| (key, "denied".to_owned())).collect();
            },
        ];
        for change in changes {
            assert_eq!(status_with(spec, change, "one"), status_with(spec, change, "two"), "{spec}");
        }
    }
}
