//! Batching does not change results: rows, owners and errors are those of each request.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use sqlx::Connection as _;
use todostack_store::{Collection, Error, ListName, NewList, Store, TodoPlace};
use tokio::time::timeout;

use crate::{
    fixtures::{collection, new_todo},
    service::{On, Service, on_both_databases},
};

async fn create(store: &dyn Store, collection: &Collection, title: &str) -> Result<i64, Error> {
    store.create_todo(collection, new_todo(title), None).await.map(|created| created.stored.id)
}

on_both_databases!(
    each_request_gets_its_own_row_and_reads_it_at_once,
    owners_and_lists_in_one_batch_do_not_mix,
    a_row_that_cannot_be_stored_fails_alone,
);

async fn each_request_gets_its_own_row_and_reads_it_at_once(service: Service) {
    let store = &*service.store;
    join_all((0..300).map(async |n| {
        let collection = collection(if n % 2 == 0 { "ann" } else { "bob" }, None);
        let title = format!("todo {n}");
        let id = create(store, &collection, &title).await.unwrap();
        let read = store.todo(&TodoPlace { collection, id }).await.unwrap();
        assert_eq!((read.id, read.title), (id, title));
    }))
    .await;
}

async fn owners_and_lists_in_one_batch_do_not_mix(service: Service) {
    let store = &*service.store;
    let id = create(store, &collection("ann", None), "tea").await.unwrap();
    let replies = join_all((0..200).map(async |n| {
        let collection = match n % 4 {
            0 => collection("ann", None),
            1 => collection("bob", None),
            2 => collection("ann", Some(1)),
            _ => collection("", None),
        };
        (n % 4, store.todo(&TodoPlace { collection, id }).await)
    }))
    .await;
    for (owner, reply) in replies {
        match owner {
            0 => assert_eq!(reply.unwrap().title, "tea"),
            _ => assert!(matches!(reply, Err(Error::TodoNotFound))),
        }
    }
}

async fn a_row_that_cannot_be_stored_fails_alone(service: Service) {
    let store = &*service.store;
    let name = ListName::new("shop".to_owned()).unwrap();
    let new = NewList { name, order: None };
    let of_bob = store.create_list(&"bob".into(), new, None).await.unwrap().stored.id;
    let replies = join_all((0..200).map(async |n| {
        let list = match n % 20 {
            7 => Some(99),
            17 => Some(of_bob),
            _ => None,
        };
        (n, create(store, &collection("ann", list), &format!("todo {n}")).await)
    }))
    .await;
    let mut ids = std::collections::BTreeSet::new();
    for (n, reply) in replies {
        if n % 10 == 7 {
            assert!(matches!(reply, Err(Error::ListNotFound)), "{reply:?}");
        } else {
            let place = TodoPlace { collection: collection("ann", None), id: reply.unwrap() };
            assert_eq!(store.todo(&place).await.unwrap().title, format!("todo {n}"));
            assert!(ids.insert(place.id));
        }
    }
    assert_eq!(ids.len(), 180);
}

#[tokio::test]
async fn a_full_queue_rejects_at_once_and_what_it_accepted_is_done() {
    let service = Service::start(On::Postgres).await;
    let mut other = service.postgres().await;
    let mut lock = other.begin().await.unwrap();
    sqlx::query("lock table todos in access exclusive mode").execute(&mut *lock).await.unwrap();
    let store = Arc::clone(&service.store);
    let creates: Vec<_> = (0..2_000)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { create(&*store, &collection("ann", None), &n.to_string()).await })
        })
        .collect();
    let shed = async {
        while !creates.iter().any(tokio::task::JoinHandle::is_finished) {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(2), shed).await.expect("some are rejected while the table is locked");
    lock.rollback().await.unwrap();
    let (mut done, mut rejected) = (0, 0);
    for create in creates {
        match create.await.unwrap() {
            Ok(_) => done += 1,
            Err(Error::Overloaded) => rejected += 1,
            Err(error) => panic!("{error:?}"),
        }
    }
    assert!(done >= 1_024 && rejected > 0, "{done} done, {rejected} rejected");
}
