//! Each managed resource in turn is foreign, rejected, failing or being deleted: whatever the stack, the
//! second reconcile writes nothing else but the status, the third nothing at all, and nothing that was
//! written refers to that object.

use std::fs;

use rstest::rstest;
use serde_json::{Value, json};
use todostack_crds::TodoStack;
use todostack_stack::{fixtures, managed, requirements::Requirements, stack_ref::StackRef};

use super::{
    changes::{EXTERNAL, NFS, OWN_SECRET, SQLITE},
    cluster::{Cluster, Refusal, Request, references},
};

#[derive(Clone, Copy, Debug)]
enum Kind {
    Foreign,
    Answered(u16, &'static str),
    Terminating,
}

// The stacks of all examples, and others.
fn stacks() -> Vec<TodoStack> {
    let specs = ["{}", NFS, OWN_SECRET, EXTERNAL, SQLITE];
    let mut stacks: Vec<_> = specs.into_iter().map(fixtures::todostack).collect();
    let folders = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples")).unwrap();
    // `compose` needs no operator, and has no stack.
    let files = folders.map(|folder| folder.unwrap().path().join("todostack.yaml"));
    for file in files.filter(|file| file.is_file()) {
        let text = fs::read_to_string(file).unwrap();
        let objects: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
        let found = objects.into_iter().filter(|object| object["kind"] == "TodoStack");
        stacks.extend(found.map(|object| {
            let mut stack = fixtures::todostack("{}");
            stack.spec = serde_json::from_value(object["spec"].clone()).unwrap();
            stack
        }));
    }
    assert!(stacks.len() > specs.len() + 5, "the examples were not found");
    stacks
}

// Plural and name of every object that the spec asks for, and Jobs, whose names are not known before.
fn managed_by(stack: &TodoStack) -> Vec<(String, String)> {
    let id = StackRef::try_from(stack).unwrap();
    let expected = managed::expected(&id, &Requirements::from(&stack.spec));
    let mut objects: Vec<_> =
        expected.into_iter().map(|key| (key.kind.api_resource().plural, key.name)).collect();
    objects.push(("jobs".to_owned(), String::new()));
    objects
}

// A cluster in which one object is refused before anything is written.
async fn refused(stack: &TodoStack, kind: Kind, (resource, name): (&str, &str)) -> Cluster {
    let mut cluster = Cluster::with(stack);
    match kind {
        Kind::Foreign => {
            let object = json!({"apiVersion": "any/v1", "kind": "Any", "metadata": {"name": name}});
            cluster.server().store.create(resource, object);
        }
        Kind::Answered(code, reason) => {
            let refusal = Refusal { resource: resource.to_owned(), name: name.to_owned(), code, reason };
            cluster.server().refusal = Some(refusal);
        }
        Kind::Terminating => {
            cluster.settle().await;
            let mut server = cluster.server();
            let held = json!({"finalizers": ["example.com/hold"]});
            server.store.update(resource, name, |object| {
                object["metadata"]["finalizers"] = held["finalizers"].clone();
            });
            server.store.delete(resource, name);
            server.writes.clear();
            drop(server);
            // An edit, so that there is something to write.
            let spec = json!({"api": {"image": "registry.example.com/api:2"}});
            cluster.patch("todostacks", "shop", &json!({"spec": spec}));
        }
    }
    cluster
}

// The writes since `start` of what was not refused, without Events.
fn other_writes(cluster: &Cluster, start: usize) -> Vec<Request> {
    let server = cluster.server();
    let is_refused = |write: &Request| server.refusal.as_ref().is_some_and(|refusal| refusal.concerns(write));
    let writes = server.writes.iter().skip(start);
    writes.filter(|write| write.resource != "events" && !is_refused(write)).cloned().collect()
}

// What a reconcile writes while nothing has changed since the last one.
async fn written_again(cluster: &mut Cluster) -> Vec<String> {
    let start = cluster.server().writes.len();
    cluster.reconcile().await;
    cluster.watch();
    other_writes(cluster, start).iter().map(Request::describe).collect()
}

#[rstest]
#[case::foreign(Kind::Foreign)]
#[case::rejected_by_policy(Kind::Answered(403, "Forbidden"))]
#[case::invalid(Kind::Answered(422, "Invalid"))]
#[case::failing(Kind::Answered(500, "InternalError"))]
#[case::terminating(Kind::Terminating)]
#[tokio::test]
async fn nothing_else_is_written_again_and_nothing_refers_to_a_refused_object(#[case] kind: Kind) {
    let mut problems = Vec::new();
    for stack in stacks() {
        for (resource, name) in managed_by(&stack) {
            if resource == "jobs" && !matches!(kind, Kind::Answered(..)) {
                continue;
            }
            let mut cluster = refused(&stack, kind, (&resource, &name)).await;
            cluster.reconcile().await;
            cluster.watch();
            let mut second = written_again(&mut cluster).await;
            // It reports what the first one has written.
            second.retain(|write| !write.contains("todostacks"));
            let third = written_again(&mut cluster).await;
            let settled = cluster.settles().await;
            let last = written_again(&mut cluster).await;
            // A volume is written before its claim, which it only reserves.
            let is_reserved = matches!(kind, Kind::Answered(..)) && resource == "persistentvolumeclaims";
            let is_user = |write: &Request| {
                let is_named =
                    references(&write.body).iter().any(|(plural, used)| *plural == resource && *used == name);
                is_named && !(is_reserved && write.resource == "persistentvolumes")
            };
            let writes = other_writes(&cluster, 0);
            let users: Vec<_> = writes.iter().filter(|write| is_user(write)).map(Request::describe).collect();
            if settled.is_err()
                || !(second.is_empty() && third.is_empty() && last.is_empty() && users.is_empty())
            {
                let spec = serde_json::to_string(&stack.spec).unwrap();
                problems.push(format!(
                    "{resource} {name} of {spec}: second {second:?}, third {third:?}, {settled:?}, last {last:?}, users {users:?}"
                ));
            }
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
}
