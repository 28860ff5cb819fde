//! When each feed has brought something last: a layer of the client for watches, which also sees what kube's
//! watcher keeps to itself, such as bookmarks. Whether that is long ago is decided in `health.rs`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use futures::{FutureExt as _, future::BoxFuture};
use http::{HeaderMap, Request, Response, Uri, header};
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};
use tokio::time::Instant;
use tower::{BoxError, Layer, Service};

use crate::clock;

/// What is known of one feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Feed {
    /// The first request, and the last.
    pub(crate) asked: (Instant, Instant),
    /// The last answer or part of one, of those that are no error.
    pub(crate) heard: Option<Instant>,
    /// Whether its first list is complete, because its watch has begun.
    pub(crate) is_listed: bool,
    /// Requests and bodies that have not ended.
    pub(crate) open: usize,
}

/// All feeds by name; a clone has the same ones.
#[derive(Clone, Default)]
pub(crate) struct Hearing(Arc<Mutex<BTreeMap<String, Feed>>>);

impl Hearing {
    pub(crate) fn feeds(&self) -> BTreeMap<String, Feed> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Feed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, name: String) -> Ear {
        let now = clock::timer();
        let mut feeds = self.lock();
        let new = Feed { asked: (now, now), heard: None, is_listed: false, open: 0 };
        let feed = feeds.entry(name.clone()).or_insert(new);
        feed.asked.1 = now;
        feed.open = feed.open.saturating_add(1);
        Ear { hearing: self.clone(), name }
    }
}

/// One request of a feed, until its answer has ended.
pub(crate) struct Ear {
    hearing: Hearing,
    name: String,
}

impl Ear {
    fn hear(&self, is_watch: bool) {
        if let Some(feed) = self.hearing.lock().get_mut(&self.name) {
            feed.heard = Some(clock::timer());
            feed.is_listed |= is_watch;
        }
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        if let Some(feed) = self.hearing.lock().get_mut(&self.name) {
            feed.open = feed.open.saturating_sub(1);
        }
    }
}

/// The resource, and the namespace if it is one: `pods`, `pods of namespace shops`. Of Secrets there are two
/// feeds.
fn name(uri: &Uri, headers: &HeaderMap) -> String {
    let segments: Vec<_> = uri.path().split('/').collect();
    let name = match segments.as_slice() {
        [.., "namespaces", namespace, resource] => format!("{resource} of namespace {namespace}"),
        [.., resource] => (*resource).to_owned(),
        [] => String::new(),
    };
    let accepted = headers.get(header::ACCEPT).and_then(|accepted| accepted.to_str().ok());
    let is_metadata = accepted.is_some_and(|accepted| accepted.contains("PartialObjectMetadata"));
    if is_metadata { format!("metadata of {name}") } else { name }
}

impl<S> Layer<S> for Hearing {
    type Service = Heard<S>;

    fn layer(&self, inner: S) -> Heard<S> {
        Heard { inner, hearing: self.clone() }
    }
}

/// A client of which each answer is noted.
#[derive(Clone)]
pub(crate) struct Heard<S> {
    inner: S,
    hearing: Hearing,
}

impl<S, Q, R> Service<Request<Q>> for Heard<S>
where
    S: Service<Request<Q>, Response = Response<R>>,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    R: BodyExt + Send + 'static,
{
    type Response = Response<UnsyncBoxBody<R::Data, R::Error>>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let is_watch = request.uri().query().is_some_and(|query| query.contains("watch=true"));
        let ear = self.hearing.ask(name(request.uri(), request.headers()));
        let answer = self.inner.call(request);
        async move {
            let response = answer.await.map_err(Into::into)?;
            let is_success = response.status().is_success();
            let hear = move || {
                if is_success {
                    ear.hear(is_watch);
                }
            };
            hear();
            Ok(response.map(|body| body.inspect_frame(move |_| hear()).boxed_unsync()))
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests;
