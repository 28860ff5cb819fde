//! Flags and environment variables of the log and of traces. What is logged and traced is in `telemetry` and
//! `otlp`.

use clap::Args;
use http::{HeaderName, HeaderValue, Uri};

use crate::otlp::OtlpSettings;

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Observability")]
pub struct LogArgs {
    /// Log level: error, warn, info, debug or trace; or a filter such as `info,sqlx=debug`.
    #[arg(long, global = true, env = "TODOSTACK_LOG_LEVEL", default_value = "info")]
    pub log_level: String,
}

/// Named as in the OpenTelemetry specification.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Observability")]
pub struct TraceArgs {
    /// Collector of traces, OTLP over HTTP (http://collector:4318); without it, or the next, nothing is
    /// traced.
    #[arg(long, global = true, env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<Uri>,
    /// URL for traces, when it is not the endpoint with /v1/traces.
    #[arg(long, global = true, env = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")]
    pub otlp_traces_endpoint: Option<Uri>,
    /// Headers for the collector: name=value, comma separated.
    #[arg(long, global = true, env = "OTEL_EXPORTER_OTLP_HEADERS", value_delimiter = ',', value_parser = header)]
    // The value may be a token, which --help would print.
    #[arg(hide_env_values = true)]
    pub otlp_headers: Vec<(HeaderName, HeaderValue)>,
    /// Name of this service in traces.
    #[arg(long, global = true, env = "OTEL_SERVICE_NAME", default_value = "todostack-api")]
    pub otel_service_name: String,
}

impl TraceArgs {
    pub(crate) fn settings(self) -> anyhow::Result<Option<OtlpSettings>> {
        let from_endpoint =
            |endpoint: Uri| format!("{}/v1/traces", endpoint.to_string().trim_end_matches('/')).parse();
        let traces_url = match (self.otlp_traces_endpoint, self.otlp_endpoint) {
            (Some(url), _) => url,
            (None, Some(endpoint)) => from_endpoint(endpoint)?,
            (None, None) => return Ok(None),
        };
        let (headers, service_name) = (self.otlp_headers, self.otel_service_name);
        Ok(Some(OtlpSettings { traces_url, headers, service_name }))
    }
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let invalid = || "must be name=value".to_owned();
    let (name, value) = text.split_once('=').ok_or_else(invalid)?;
    Ok((name.trim().parse().map_err(|_| invalid())?, value.trim().parse().map_err(|_| invalid())?))
}
