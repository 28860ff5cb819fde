//! A benchmark, `cargo xtask bench reconcile`: the time of a reconcile that finds nothing to do, against the
//! number of stacks in the caches.

use std::time::Duration;

use serde_json::Value;

use super::cluster::Cluster;
use crate::clock;

const STACKS: [usize; 4] = [10, 100, 1000, 5000];
const RECONCILES: usize = 500;
// As far as medians of one machine differ by chance.
const FLAT: f64 = 1.25;

#[tokio::test]
#[ignore = "a benchmark: cargo xtask bench reconcile"]
async fn a_reconcile_costs_what_its_stack_has() {
    let mut one = Cluster::as_in_production("{}");
    one.settle().await;
    let mut medians = Vec::new();
    println!("stacks in the caches, median of a reconcile");
    for stacks in STACKS {
        let mut cluster = one.copy();
        fill(&mut cluster, stacks);
        let median = median(&mut cluster).await;
        println!("{stacks:>6} {:>8.1} µs", median.as_secs_f64() * 1e6);
        medians.push(median.as_secs_f64());
    }
    let ratio = medians.iter().copied().fold(0.0, f64::max) / medians[0];
    assert!(ratio <= FLAT, "{ratio:.2} times the time with {} stacks", STACKS[0]);
}

// Adds copies of the stack `shop` with all of its objects.
fn fill(cluster: &mut Cluster, stacks: usize) {
    let is_own =
        |(_, object): &(&str, &Value)| object["metadata"]["name"].as_str().unwrap().starts_with("shop");
    let own: Vec<_> = {
        let server = cluster.server();
        server
            .store
            .all()
            .filter(is_own)
            .map(|(kind, object)| (kind.to_owned(), object.to_string()))
            .collect()
    };
    for index in 1..stacks {
        for (resource, object) in &own {
            let other = object.replace("\"shop\"", &format!("\"s{index}\""));
            let other = other.replace("\"shop-", &format!("\"s{index}-"));
            let other = other.replace("\"uid-", &format!("\"uid-{index}-"));
            let other: Value = serde_json::from_str(&other).unwrap();
            cluster.server().store.insert(resource, other);
        }
    }
    cluster.watch();
}

async fn median(cluster: &mut Cluster) -> Duration {
    // It reads the volume of the claim once.
    cluster.reconcile_stack("shop").await;
    let (mut times, before) = (Vec::new(), cluster.server().requests);
    for _ in 0..RECONCILES {
        let start = clock::instant();
        cluster.reconcile_stack("shop").await;
        times.push(start.elapsed());
    }
    assert_eq!(cluster.server().requests, before, "there was something to do");
    times.sort();
    times[RECONCILES / 2]
}
