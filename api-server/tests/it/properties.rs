//! Any sequence of requests gives the results of a model in memory. Invalid ones are in `bad_input`.

use http::Method;
use proptest::{prelude::*, test_runner::TestRunner};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::service::{On, Service};

#[derive(Clone, Debug)]
enum Step {
    Create { title: String, order: Option<i64>, completed: bool },
    Patch { which: usize, title: Option<String>, completed: Option<bool>, order: Option<Option<i64>> },
    PatchIfUnchanged { which: usize, seen: usize, title: String },
    Delete { which: usize },
    DeleteCompleted,
    Clear,
}

fn title() -> impl Strategy<Value = String> {
    "[a-zé ]{0,8}[a-z]"
}

fn step() -> impl Strategy<Value = Step> {
    let order = prop::option::of(-3..3_i64);
    prop_oneof![
        5 => (title(), order.clone(), any::<bool>())
            .prop_map(|(title, order, completed)| Step::Create { title, order, completed }),
        3 => (0..8_usize, prop::option::of(title()), any::<Option<bool>>(), prop::option::of(order))
            .prop_map(|(which, title, completed, order)| Step::Patch { which, title, completed, order }),
        2 => (0..8_usize, 1..4_usize, title())
            .prop_map(|(which, seen, title)| Step::PatchIfUnchanged { which, seen, title }),
        2 => (0..8_usize).prop_map(|which| Step::Delete { which }),
        1 => Just(Step::DeleteCompleted),
        1 => Just(Step::Clear),
    ]
}

/// A todo of the model; `url` is from the service.
#[derive(Clone, Debug, PartialEq)]
struct Expected {
    url: String,
    title: String,
    order: Option<i64>,
    completed: bool,
    version: usize,
}

impl Expected {
    fn seen(&self) -> Value {
        json!([self.url, self.title, self.order, self.completed])
    }
}

async fn apply(service: &Service, model: &mut Vec<Expected>, step: Step) {
    let client = &service.client;
    match step {
        Step::Create { title, order, completed } => {
            let todo = json!({"title": title, "order": order, "completed": completed});
            let created = client.create_todo("/todos", todo).await;
            let url = created["url"].as_str().unwrap().to_owned();
            model.push(Expected { url, title, order, completed, version: 1 });
        }
        Step::Patch { which, title, completed, order } => {
            let Some(todo) = model.get_mut(which) else { return };
            let mut body = json!({});
            if let Some(title) = title {
                body["title"] = json!(title);
                todo.title = title;
            }
            if let Some(completed) = completed {
                body["completed"] = json!(completed);
                todo.completed = completed;
            }
            if let Some(order) = order {
                body["order"] = json!(order);
                todo.order = order;
            }
            todo.version += 1;
            assert_eq!(client.patch(&todo.url, body).await.status, 200);
        }
        Step::PatchIfUnchanged { which, seen, title } => {
            let Some(todo) = model.get_mut(which) else { return };
            let request =
                client.request(Method::PATCH, &todo.url).header("if-match", format!("\"1.{seen}\""));
            let request = request.header("content-type", "application/json");
            let status = client.send(request, json!({"title": title}).to_string()).await.status;
            if seen == todo.version {
                assert_eq!(status, 200);
                (todo.title, todo.version) = (title, todo.version + 1);
            } else {
                assert_eq!(status, 412);
            }
        }
        Step::Delete { which } => {
            if which >= model.len() {
                return;
            }
            let todo = model.remove(which);
            assert_eq!(client.delete(&todo.url).await.status, 204);
            assert_eq!(client.get(&todo.url).await.status, 404);
        }
        Step::DeleteCompleted => {
            assert_eq!(client.delete("/todos?completed=true").await.status, 204);
            model.retain(|todo| !todo.completed);
        }
        Step::Clear => {
            assert_eq!(client.delete("/todos").await.status, 204);
            model.clear();
        }
    }
}

async fn list(service: &Service, query: &str) -> Vec<Value> {
    let list = service.client.get(&format!("/todos{query}")).await.json();
    let seen = |todo: &Value| json!([todo["url"], todo["title"], todo["order"], todo["completed"]]);
    list.as_array().unwrap().iter().map(seen).collect()
}

async fn assert_same(service: &Service, model: &[Expected]) {
    let seen = |todos: Vec<&Expected>| todos.into_iter().map(Expected::seen).collect::<Vec<_>>();
    assert_eq!(list(service, "").await, seen(model.iter().collect()));
    let open = model.iter().filter(|todo| !todo.completed).collect();
    assert_eq!(list(service, "?completed=false").await, seen(open));
    let mut sorted: Vec<_> = model.iter().collect();
    // Stable, so equal ones stay in the order of creation.
    sorted.sort_by_key(|todo| todo.order.unwrap_or(i64::MAX));
    assert_eq!(list(service, "?sort=order").await, seen(sorted));
    for todo in model {
        let reply = service.client.get(&todo.url).await;
        assert_eq!(reply.header("etag"), format!("\"1.{}\"", todo.version));
    }
}

#[rstest]
#[case::postgres(On::Postgres)]
#[case::sqlite(On::Sqlite)]
fn any_sequence_of_requests_gives_the_results_of_the_model(#[case] on: On) {
    let runtime = Runtime::new().unwrap();
    let service = runtime.block_on(Service::start(on));
    let mut runner = TestRunner::new(ProptestConfig { cases: 24, ..ProptestConfig::default() });
    let run = runner.run(&prop::collection::vec(step(), 1..20), |steps| {
        runtime.block_on(async {
            let mut model = Vec::new();
            apply(&service, &mut model, Step::Clear).await;
            for step in steps {
                apply(&service, &mut model, step).await;
            }
            assert_same(&service, &model).await;
        });
        Ok(())
    });
    run.unwrap();
}
