//! Authentication: which tokens are accepted, how others are rejected, and that owners are isolated. The
//! algorithms of signatures are in `algorithms`, an issuer that is away or unknown in `issuer`.

mod algorithms;
mod issuer;
mod streams;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{Json, Router, routing::get};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{Method, StatusCode};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use todostack_api::auth::{Auth, AuthSettings, KeySource, KeysError};

use crate::{
    client::{Client, Reply},
    service::{On, Service, listen, on_both_databases},
};

/// An issuer of tokens with one key.
struct Issuer {
    key: Ed25519KeyPair,
    kid: &'static str,
}

impl Issuer {
    fn new(kid: &'static str) -> Self {
        let seed = kid.as_bytes().iter().copied().cycle().take(32).collect::<Vec<_>>();
        Self { key: Ed25519KeyPair::from_seed_unchecked(&seed).unwrap(), kid }
    }

    fn jwk(&self) -> Value {
        let x = BASE64_URL_SAFE_NO_PAD.encode(self.key.public_key().as_ref());
        json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.kid, "x": x})
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let encode = |part: &Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
        let message = format!("{}.{}", encode(header), encode(claims));
        let signature = BASE64_URL_SAFE_NO_PAD.encode(self.key.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    fn token(&self, subject: &str, scope: &str) -> String {
        self.sign(&self.header(), &claims(subject, scope))
    }

    fn header(&self) -> Value {
        json!({"alg": "EdDSA", "typ": "at+jwt", "kid": self.kid})
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn claims(subject: &str, scope: &str) -> Value {
    let (issuer, audiences) = ("https://issuer.example", ["todos", "other"]);
    json!({"iss": issuer, "aud": audiences, "sub": subject, "scope": scope, "exp": now() + 60})
}

fn settings(keys: KeySource) -> AuthSettings {
    AuthSettings {
        issuer: "https://issuer.example".to_owned(),
        audience: "todos".to_owned(),
        roles_claim: None,
        keys,
        reread_after: AuthSettings::REREAD_AFTER,
    }
}

fn with_key_file(keys: &Value) -> Result<Auth, KeysError> {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), json!({"keys": keys}).to_string()).unwrap();
    Auth::new(settings(KeySource::File(file.path().to_owned())))
}

async fn service(keys: &Value) -> Service {
    Service::start(On::Sqlite).await.with_auth(with_key_file(keys).unwrap()).await
}

async fn send(client: &Client, method: Method, path: &str, token: &str) -> Reply {
    let request = client.request(method, path).header("authorization", format!("Bearer {token}"));
    client.send(request.header("content-type", "application/json"), r#"{"title":"tea"}"#).await
}

async fn assert_rejected(service: &Service, token: &str, what: &str, parts_of_challenge: &[&str]) {
    let reply = send(&service.client, Method::GET, "/todos", token).await;
    assert_eq!(reply.problem(), (401, "unauthorized".to_owned()), "{what}");
    let challenge = reply.header("www-authenticate");
    for part in parts_of_challenge {
        assert!(challenge.contains(part), "{what}: {part} is not in {challenge}");
    }
}

on_both_databases!(each_subject_sees_only_its_own_todos_and_lists);

async fn each_subject_sees_only_its_own_todos_and_lists(service: Service) {
    let issuer = Issuer::new("one");
    let service = service.with_auth(with_key_file(&json!([issuer.jwk()])).unwrap()).await;
    let client = &service.client;
    let [ann, bob] = ["ann", "bob"].map(|subject| issuer.token(subject, "todos:read todos:write"));
    let todo = send(client, Method::POST, "/todos", &ann).await;
    assert_eq!(todo.status, StatusCode::CREATED);
    let body = json!({"name": "shop"}).to_string();
    let request = client.request(Method::POST, "/lists").header("authorization", format!("Bearer {ann}"));
    let list = client.send(request.header("content-type", "application/json"), body).await.json();
    let (todo, todos) = (todo.json()["url"].as_str().unwrap().to_owned(), list["todosUrl"].as_str().unwrap());

    assert_eq!(send(client, Method::GET, "/todos", &bob).await.json(), json!([]));
    assert_eq!(send(client, Method::GET, "/lists", &bob).await.json(), json!([]));
    for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE] {
        let reply = send(client, method, &todo, &bob).await;
        assert_eq!(reply.problem(), (404, "todo-not-found".to_owned()));
    }
    for method in [Method::GET, Method::POST, Method::DELETE] {
        assert_eq!(send(client, method, todos, &bob).await.problem(), (404, "list-not-found".to_owned()));
    }
    assert_eq!(send(client, Method::DELETE, "/todos", &bob).await.status, StatusCode::NO_CONTENT);
    assert_eq!(send(client, Method::GET, &todo, &ann).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_request_without_a_token_gets_a_challenge() {
    let service = service(&json!([Issuer::new("one").jwk()])).await;
    let reply = service.client.get("/todos").await;
    assert_eq!(reply.problem(), (401, "unauthorized".to_owned()));
    assert_eq!(reply.header("www-authenticate"), "Bearer realm=\"todostack\"");
    let options = service.client.send(service.client.request(Method::OPTIONS, "/todos"), "").await;
    assert_eq!(options.status, StatusCode::NO_CONTENT, "a preflight carries no token");
    assert_eq!(service.client.get("/").await.status, StatusCode::OK, "a load balancer has no token");
}

#[tokio::test]
async fn reading_and_writing_need_a_scope_each() {
    let issuer = Issuer::new("one");
    let service = service(&json!([issuer.jwk()])).await;
    let reader = issuer.token("ann", "openid todos:read");
    assert_eq!(send(&service.client, Method::GET, "/todos", &reader).await.status, StatusCode::OK);
    let rejected = send(&service.client, Method::POST, "/todos", &reader).await;
    assert_eq!(rejected.problem(), (403, "insufficient-scope".to_owned()));
    let challenge = "Bearer realm=\"todostack\", error=\"insufficient_scope\", scope=\"todos:write\"";
    assert_eq!(rejected.header("www-authenticate"), challenge);
    let writer = issuer.token("ann", "todos:write");
    assert_eq!(send(&service.client, Method::GET, "/todos", &writer).await.status, StatusCode::FORBIDDEN);
}

#[rstest]
#[case::text(json!("todos"), StatusCode::OK)]
#[case::list(json!(["todos"]), StatusCode::OK)]
#[case::one_of_several(json!(["other", "todos"]), StatusCode::OK)]
#[case::another_text(json!("todos2"), StatusCode::UNAUTHORIZED)]
#[case::other_list(json!(["other"]), StatusCode::UNAUTHORIZED)]
#[case::empty_list(json!([]), StatusCode::UNAUTHORIZED)]
#[case::words_in_a_text(json!("other todos"), StatusCode::UNAUTHORIZED)]
#[case::no_text(json!(1), StatusCode::UNAUTHORIZED)]
#[case::null(json!(null), StatusCode::UNAUTHORIZED)]
#[tokio::test]
async fn the_audience_is_the_text_or_in_the_list(#[case] audience: Value, #[case] expected: StatusCode) {
    let issuer = Issuer::new("one");
    let service = service(&json!([issuer.jwk()])).await;
    let mut claims = claims("ann", "todos:read");
    claims["aud"] = audience;
    let token = issuer.sign(&issuer.header(), &claims);
    assert_eq!(send(&service.client, Method::GET, "/todos", &token).await.status, expected);
}

#[tokio::test]
async fn the_clocks_of_issuer_and_service_may_differ() {
    let issuer = Issuer::new("one");
    let service = service(&json!([issuer.jwk()])).await;
    for (name, seconds) in [("exp", now() - 40), ("nbf", now() + 40)] {
        let mut claims = claims("ann", "todos:read");
        claims[name] = json!(seconds);
        let token = issuer.sign(&issuer.header(), &claims);
        let reply = send(&service.client, Method::GET, "/todos", &token).await;
        assert_eq!(reply.status, StatusCode::OK, "{name}");
    }
}

#[tokio::test]
async fn a_token_with_one_invalid_field_is_rejected() {
    let issuer = Issuer::new("one");
    let service = service(&json!([issuer.jwk()])).await;
    let valid = send(&service.client, Method::GET, "/todos", &issuer.token("ann", "todos:read")).await;
    assert_eq!(valid.status, StatusCode::OK);
    let signed_with = |mut part: Value, change: &Value| {
        // As a merge patch: null removes a field.
        part.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        part.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        part
    };
    let header = |change| issuer.sign(&signed_with(issuer.header(), &change), &claims("ann", "todos:read"));
    let claim = |change| issuer.sign(&issuer.header(), &signed_with(claims("ann", "todos:read"), &change));
    for (why, token) in [
        ("it has expired", claim(json!({"exp": now() - 120}))),
        ("it is not valid yet", claim(json!({"nbf": now() + 120}))),
        ("its issuer (iss) is not the expected one", claim(json!({"iss": "https://evil.example"}))),
        ("its audience (aud) does not include this service", claim(json!({"aud": "other"}))),
        ("it lacks exp, iss, aud or sub", claim(json!({"exp": null}))),
        ("it lacks exp, iss, aud or sub", claim(json!({"aud": null}))),
        ("it lacks exp, iss, aud or sub", claim(json!({"iss": null}))),
        ("its subject (sub) is empty", claim(json!({"sub": ""}))),
        ("its subject (sub) is empty, longer", claim(json!({"sub": "a\0"}))),
        ("it is not an access token", header(json!({"typ": "id+jwt"}))),
        ("it has critical extensions (crit)", header(json!({"crit": ["b64"]}))),
        ("its algorithm is not allowed", header(json!({"alg": "HS256"}))),
        ("it is not a JWT", header(json!({"alg": "none"}))),
        ("its signing key (kid) is unknown", header(json!({"alg": "RS256"}))),
        ("its signing key (kid) is unknown", header(json!({"kid": "two"}))),
        ("its signature is invalid", Issuer::new("two").sign(&issuer.header(), &claims("ann", "todos:read"))),
        ("it is not a JWT", "abc".to_owned()),
    ] {
        assert_rejected(&service, &token, why, &["error=\"invalid_token\"", why]).await;
    }
}

/// A key set URL; the first response has the old key only, later ones both. Counts the responses.
async fn jwks(old: &Issuer, new: &Issuer) -> (KeySource, Arc<AtomicUsize>) {
    let reads = Arc::new(AtomicUsize::new(0));
    let key_sets = [json!({"keys": [old.jwk()]}), json!({"keys": [old.jwk(), new.jwk()]})];
    let counted = Arc::clone(&reads);
    let jwks = get(async move || Json(key_sets[counted.fetch_add(1, Ordering::SeqCst).min(1)].clone()));
    let issuer = listen(Router::new().route("/jwks", jwks)).await;
    (KeySource::Url { url: format!("{}/jwks", issuer.base).parse().unwrap(), ca_file: None }, reads)
}

#[rstest]
#[case::invalid_tokens_do_not_load_the_issuer(AuthSettings::REREAD_AFTER, StatusCode::UNAUTHORIZED, 1)]
#[case::a_new_key_is_fetched(Duration::ZERO, StatusCode::OK, 2)]
#[tokio::test]
async fn keys_are_cached_until_a_token_has_an_unknown_key(
    #[case] reread_after: Duration,
    #[case] with_new_key: StatusCode,
    #[case] expected_reads: usize,
) {
    let (old, new) = (Issuer::new("old"), Issuer::new("new"));
    let (keys, reads) = jwks(&old, &new).await;
    let auth = Auth::new(AuthSettings { reread_after, ..settings(keys) }).unwrap();
    let service = Service::start(On::Sqlite).await.with_auth(auth).await;
    let status = async |issuer: &Issuer| {
        let token = issuer.token("ann", "todos:read");
        send(&service.client, Method::GET, "/todos", &token).await.status
    };
    for _ in 0..3 {
        assert_eq!(status(&old).await, StatusCode::OK);
    }
    assert_eq!(reads.load(Ordering::SeqCst), 1);
    for _ in 0..3 {
        assert_eq!(status(&new).await, with_new_key);
    }
    assert_eq!(reads.load(Ordering::SeqCst), expected_reads);
}

#[test]
fn a_key_file_that_is_missing_or_has_no_usable_key_is_an_error_at_startup() {
    let missing = Auth::new(settings(KeySource::File("/nonexistent/jwks.json".into()))).unwrap_err();
    assert_eq!(missing.to_string(), "failed to read /nonexistent/jwks.json");
    let secret = with_key_file(&json!([{"kty": "oct", "k": "c2VjcmV0"}])).unwrap_err();
    assert!(secret.to_string().ends_with("it has no public key for signatures"), "{secret}");
}
