//! An HTTP client that compares each response with the OpenAPI document. What else a response must be is not
//! here.

use axum::body::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client as HyperClient, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

use crate::openapi;

#[derive(Clone)]
pub struct Client {
    http: HyperClient<HttpConnector, Full<Bytes>>,
    pub base: String,
    documented: bool,
}

/// A response with its whole body.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no header {name}: {self:?}")).to_str().unwrap()
    }

    /// A field of each object in a page.
    #[track_caller]
    pub fn texts(&self, field: &str) -> Vec<String> {
        let page = self.json();
        page.as_array().unwrap().iter().map(|object| object[field].as_str().unwrap().to_owned()).collect()
    }

    /// The URL of the next page.
    pub fn next_page(&self) -> Option<String> {
        let link = self.headers.get("link")?.to_str().unwrap();
        Some(link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned())
    }

    /// Status and end of `type` of a problem (RFC 9457), which every error must be.
    #[track_caller]
    pub fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        assert_eq!(problem["trace_id"], self.header("x-request-id"));
        let slug = problem["type"].as_str().unwrap().strip_prefix("https://todostack.dev/problems/").unwrap();
        (self.status.as_u16(), slug.to_owned())
    }
}

impl Client {
    /// For the API: each response must be in the OpenAPI document.
    pub fn new(base: String) -> Self {
        Self { http: HyperClient::builder(TokioExecutor::new()).build_http(), base, documented: true }
    }

    /// For another server, whose responses are not in the OpenAPI document.
    pub fn undocumented(self) -> Self {
        Self { documented: false, ..self }
    }

    pub async fn send(&self, request: http::request::Builder, body: impl Into<Bytes>) -> Reply {
        self.try_send(request, body).await.unwrap()
    }

    /// Sends a GET and reads only the head of the response.
    pub async fn get_head(&self, path: &str) -> Response<Incoming> {
        self.send_for_head(self.request(Method::GET, path)).await
    }

    /// Sends a request without a body and reads only the head of the response.
    pub async fn send_for_head(&self, request: http::request::Builder) -> Response<Incoming> {
        let request = request.body(Full::default()).unwrap();
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.http.request(request).await.unwrap();
        if self.documented {
            openapi::assert_documented(&method, &path, response.status(), response.headers());
        }
        response
    }

    pub async fn try_send(
        &self,
        request: http::request::Builder,
        body: impl Into<Bytes>,
    ) -> Result<Reply, Box<dyn std::error::Error + Send + Sync>> {
        let request = request.body(Full::new(body.into()))?;
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.http.request(request).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        if self.documented {
            openapi::assert_documented(&method, &path, parts.status, &parts.headers);
        }
        Ok(Reply { status: parts.status, headers: parts.headers, body })
    }

    /// `path` may be an absolute URL.
    pub fn request(&self, method: Method, path: &str) -> http::request::Builder {
        let uri = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        Request::builder().method(method).uri(uri)
    }

    /// A request with a JSON body.
    pub fn json(&self, method: Method, path: &str) -> http::request::Builder {
        self.request(method, path).header("content-type", "application/json")
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path), "").await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.send(self.request(Method::DELETE, path), "").await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(self.json(Method::POST, path), body.to_string()).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.send(self.json(Method::PUT, path), body.to_string()).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.send(self.json(Method::PATCH, path), body.to_string()).await
    }

    /// Creates a todo and returns its JSON.
    pub async fn create_todo(&self, path: &str, body: Value) -> Value {
        let reply = self.post(path, body).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        reply.json()
    }

    /// The titles in a collection, in its order.
    pub async fn titles(&self, path: &str) -> Vec<String> {
        let reply = self.get(path).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        reply.texts("title")
    }
}
