//! Serves a router on a TCP listener: limits connections and headers, and drains requests when it stops.
//! Which listeners exist is decided in `serve`.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{HttpService, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tower::Service as _;

/// More connections wait in the queue of the kernel. Each takes some 20 KiB.
const MAX_CONNECTIONS: usize = 4_096;
/// How long a client may take to send the head of a request; idle connections are closed after it.
const HEAD_TIMEOUT: Duration = Duration::from_mins(1);
/// All headers of a request together.
const MAX_HEAD_BYTES: usize = 64 * 1_024;
/// How long requests in flight may take when the listener stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(15);

/// The place of a connection among the [`MAX_CONNECTIONS`], which is given up with it, or earlier.
#[derive(Clone, Debug)]
pub(crate) struct Seat(Arc<Mutex<Option<OwnedSemaphorePermit>>>);

impl Seat {
    /// For a connection that is counted elsewhere from now on.
    pub(crate) fn give_up(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Serves on the current runtime until `stop`, then drains.
pub async fn serve(listener: TcpListener, app: Router, stop: impl Future<Output = ()>) {
    serve_on(listener, vec![(Handle::current(), app)], stop).await;
}

/// As [`serve`], with the connections given to the runtimes in turn, at least one, each with its own router.
pub async fn serve_on(listener: TcpListener, apps: Vec<(Handle, Router)>, stop: impl Future<Output = ()>) {
    let mut next = apps.iter().cycle();
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accept = async {
            // The permit first: without one, clients wait in the kernel and not in an accepted connection.
            let permit = Arc::clone(&connections).acquire_owned().await;
            (listener.accept().await, permit)
        };
        let (accepted, permit) = tokio::select! {
            accepted = accept => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let Some((runtime, app)) = next.next() else { return };
                let (app, watcher) = (app.clone(), graceful.watcher());
                let seat = Seat(Arc::new(Mutex::new(permit.ok())));
                runtime.spawn(async move {
                    match prepare(stream) {
                        // A connection that the client broke needs no log line.
                        Ok(stream) => drop(watcher.watch(connection(stream, (peer, seat), app)).await),
                        Err(error) => tracing::debug!(%error, "Failed to prepare a connection"),
                    }
                });
            }
            Err(error) => {
                // Mostly out of file descriptors: retrying at once would only spin.
                tracing::warn!(%error, "Failed to accept a connection");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
    // Closes the port: new connections are refused at once while the others drain.
    drop(listener);
    if timeout(DRAIN_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!(seconds = DRAIN_TIMEOUT.as_secs(), "Aborted requests that did not finish in time");
    }
}

/// Registers a connection with the current runtime.
fn prepare(stream: TcpStream) -> io::Result<TcpStream> {
    // A response is one write, which Nagle's algorithm would only delay.
    stream.set_nodelay(true)?;
    // Accepting registered it with the runtime of the listener.
    TcpStream::from_std(stream.into_std()?)
}

fn connection(
    stream: TcpStream,
    (peer, seat): (SocketAddr, Seat),
    app: Router,
) -> http1::Connection<
    TokioIo<TcpStream>,
    impl HttpService<Incoming, ResBody = Body, Error = Infallible, Future: Send>,
> {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(seat.clone());
        app.clone().call(request)
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        // Head and body of a response are small: copying them together saves the vectored write.
        .writev(false)
        .serve_connection(TokioIo::new(stream), service)
}
