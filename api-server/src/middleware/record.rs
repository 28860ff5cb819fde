//! Records a response: in the metrics, in the log, and as a span when the trace is sampled.

use super::{
    log,
    trace::{self, Trace},
};
use crate::{
    chain::chain,
    error::ApiError,
    metrics::{Answered, method_label},
    otlp::Span,
    state::Shared,
};

pub(super) fn record(shared: &Shared, answered: Answered<'_>, trace: &Trace, error: Option<&ApiError>) {
    shared.metrics.observe(answered);
    log::answered(answered, trace, error);
    // A span allocates: none is built for a trace that no one records.
    if let Some(spans) = shared.spans.as_ref().filter(|_| trace.is_sampled()) {
        spans.push(span(answered, trace, error));
    }
}

fn span(answered: Answered<'_>, trace: &Trace, error: Option<&ApiError>) -> Span {
    let Answered { method, route, status, took } = answered;
    Span {
        trace_id: trace.id().to_owned(),
        id: trace::span_id(),
        parent_id: trace.parent_id().to_owned(),
        method: method_label(method),
        route: route.map(|route| route.as_str().to_owned()),
        status: status.as_u16(),
        took,
        error: error.filter(|_| status.is_server_error()).map(|error| chain(error)),
    }
}
