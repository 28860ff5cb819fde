//! States that are as they should be, and each way in which they may not be.

use rstest::rstest;
use serde_json::json;

use super::*;

fn id(number: usize) -> Id {
    Id::number(number)
}

/// A Ready stack with all of its objects.
fn state(number: usize) -> State {
    let id = id(number);
    let mut stack = stacks::todostack(&id);
    stack["metadata"]["uid"] = json!("u");
    stack["metadata"]["generation"] = json!(2);
    stack["status"] = json!({"conditions": [{
        "type": "Ready", "status": "True", "observedGeneration": 2, "reason": "Ready", "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }]});
    let stack: TodoStack = serde_json::from_value(stack).unwrap();
    let objects = stacks::objects(&stack).unwrap().into_iter().map(|(kind, mut object)| {
        if kind == Kind::Job {
            object["status"] = json!({"succeeded": 1});
        }
        (kind, serde_json::from_value(object).unwrap())
    });
    let objects = objects.collect();
    State { stacks: [(id.clone(), stack)].into(), objects: [(id, objects)].into() }
}

fn object(state: &mut State, kind: Kind) -> &mut DynamicObject {
    let mut objects = state.objects.values_mut().flatten();
    &mut objects.find(|it| it.0 == kind).unwrap().1
}

fn faults(state: &State, expected: &[usize]) -> String {
    state.faults(&expected.iter().map(|it| id(*it)).collect()).unwrap().join(", ")
}

#[test]
fn a_stack_with_its_objects_has_no_fault() {
    assert_eq!(faults(&state(1), &[1]), "");
}

fn each_object(state: &mut State, mut disturb: impl FnMut(&mut Vec<(Kind, DynamicObject)>)) {
    state.objects.values_mut().for_each(&mut disturb);
}

fn again(state: &mut State, kind: Kind, name: &str) {
    let mut copy = object(state, kind).clone();
    copy.metadata.name = Some(name.to_owned());
    each_object(state, |objects| objects.push((kind, copy.clone())));
}

#[rstest]
#[case("old generation", "is not Ready in its generation")]
#[case("missing", ": Ingress s0001 is missing")]
#[case("other replicas", ": Deployment has another /spec/replicas")]
#[case("other log level", ": Deployment has another log level")]
#[case("earlier stack", ": ServiceAccount s0001 is of an earlier stack")]
#[case("two Jobs", ": two Jobs migrate for the image registry.example.com/todostack-api:1")]
#[case("two Secrets", ": superfluous Secret s0001-other")]
fn what_is_not_as_it_should_be_is_found(#[case] what: &str, #[case] expected: &str) {
    let mut state = state(1);
    let containers = "/spec/template/spec/containers/0/env";
    match what {
        "old generation" => {
            state.stacks.values_mut().for_each(|it| it.metadata.generation = Some(3));
        }
        "missing" => each_object(&mut state, |objects| objects.retain(|it| it.0 != Kind::Ingress)),
        "other replicas" => object(&mut state, Kind::Deployment).data["spec"]["replicas"] = json!(7),
        "other log level" => {
            *object(&mut state, Kind::Deployment).data.pointer_mut(containers).unwrap() = json!([]);
        }
        "earlier stack" => {
            let account = object(&mut state, Kind::ServiceAccount);
            account.metadata.owner_references.as_mut().unwrap()[0].uid = "old".into();
        }
        "two Jobs" => again(&mut state, Kind::Job, "s0001-migrate-2"),
        "two Secrets" => again(&mut state, Kind::Secret, "s0001-other"),
        other => panic!("{other}"),
    }
    assert_eq!(
        faults(&state, &[1]),
        format!("bench-1/s0001{}{expected}", if expected.starts_with(':') { "" } else { " " })
    );
}

#[test]
fn a_deleted_stack_leaves_its_data_if_it_is_retained_and_else_nothing() {
    assert_eq!(faults(&state(1), &[]), "bench-1/s0001 is not gone");
    for (number, left) in [(2, 0), (1, 3)] {
        let mut state = state(number);
        state.stacks.clear();
        let data = [Kind::Secret, Kind::PersistentVolumeClaim];
        state.objects.values_mut().for_each(|it| it.retain(|it| data.contains(&it.0)));
        assert_eq!(faults(&state, &[]).matches(" left ").count(), left);
        assert_eq!(faults(&state, &[number]), format!("{} does not exist", id(number)) + &leftovers(&state));
    }
}

fn leftovers(state: &State) -> String {
    match faults(state, &[]) {
        text if text.is_empty() => text,
        text => format!(", {text}"),
    }
}
