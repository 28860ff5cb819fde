//! Lets writes to the API server pass only while this replica leads: a layer of the client that every writer
//! uses, so that no call site can forget it. Reads pass always. Who leads is decided by `candidate.rs`.

use std::{
    future,
    sync::Arc,
    task::{Context, Poll},
};

use futures::{FutureExt as _, Stream, future::BoxFuture, stream};
use http::{Method, Request};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use tower::{BoxError, Layer, Service};

use crate::clock;

/// A write that was not sent, or that was cut off, because this replica does not lead.
#[derive(Debug, thiserror::Error)]
#[error("this replica of the operator does not hold the lease, so it writes nothing")]
pub(crate) struct NotLeading;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    /// No write starts from then on.
    pub(crate) start_until: Instant,
    /// Writes that are under way then are cut off.
    pub(crate) end_by: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Until(Term),
    /// Without an election.
    Open,
}

#[derive(Clone, Copy, Debug)]
struct Position {
    state: State,
    /// How often this replica has started to lead.
    gains: u64,
}

/// Shared between the election, which sets the term, and the clients.
#[derive(Clone)]
pub(crate) struct Fence(Arc<watch::Sender<Position>>);

impl Fence {
    /// For an operator that takes part in no election.
    pub(crate) fn open() -> Self {
        Self(Arc::new(watch::Sender::new(Position { state: State::Open, gains: 0 })))
    }

    pub(crate) fn closed() -> Self {
        Self(Arc::new(watch::Sender::new(Position { state: State::Closed, gains: 0 })))
    }

    /// Sets how long writes pass; None closes the fence at once, also for writes that are under way.
    pub(crate) fn set(&self, term: Option<Term>) {
        self.0.send_modify(|position| {
            // A term may have ended by time alone, and what was to be reconciled since was dropped.
            let is_gain = term.is_some() && !position.state.is_leading(clock::timer());
            position.gains = position.gains.saturating_add(u64::from(is_gain));
            position.state = term.map_or(State::Closed, State::Until);
        });
    }

    pub(crate) fn is_leading(&self) -> bool {
        self.0.borrow().state.is_leading(clock::timer())
    }

    /// One item whenever this replica has started to lead.
    pub(crate) fn gains(&self) -> impl Stream<Item = ()> + Send + use<> {
        stream::unfold((self.0.subscribe(), 0), |(mut positions, before)| async move {
            let gains = positions.wait_for(|position| position.gains > before).await.ok()?.gains;
            Some(((), (positions, gains)))
        })
    }

    /// Returns when writes that are under way must end. A renewal of the lease extends the time.
    async fn cut(self) {
        let mut states = self.0.subscribe();
        loop {
            let state = states.borrow_and_update().state;
            let end = match state {
                State::Closed => return,
                State::Until(term) => sleep_until(term.end_by).left_future(),
                State::Open => future::pending().right_future(),
            };
            // `self` holds the sender, so that a change is never an error.
            tokio::select! {
                () = end => return,
                _ = states.changed() => {}
            }
        }
    }
}

impl State {
    fn is_leading(self, now: Instant) -> bool {
        match self {
            Self::Closed => false,
            Self::Until(term) => now < term.start_until,
            Self::Open => true,
        }
    }
}

impl<S> Layer<S> for Fence {
    type Service = Fenced<S>;

    fn layer(&self, inner: S) -> Fenced<S> {
        Fenced { inner, fence: self.clone() }
    }
}

/// A client whose writes pass the fence.
#[derive(Clone)]
pub(crate) struct Fenced<S> {
    inner: S,
    fence: Fence,
}

impl<S, B> Service<Request<B>> for Fenced<S>
where
    S: Service<Request<B>>,
    S::Future: Send + 'static,
    S::Response: 'static,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<S::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        if !is_read && !self.fence.is_leading() {
            return async { Err(NotLeading.into()) }.boxed();
        }
        let answer = self.inner.call(request);
        if is_read {
            return async move { answer.await.map_err(Into::into) }.boxed();
        }
        let cut = self.fence.clone().cut();
        let write = async move {
            tokio::select! {
                // First the fence: it may have closed since, and the first poll sends the request.
                biased;
                () = cut => Err(NotLeading.into()),
                answer = answer => answer.map_err(Into::into),
            }
        };
        write.boxed()
    }
}

#[cfg(test)]
mod tests;
