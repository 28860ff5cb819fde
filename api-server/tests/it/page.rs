//! How the page is served: to whom, with which headers, and how it is cached. What it does in a browser is
//! tested in `page-tests/`.

use std::num::NonZeroU32;

use http::{Method, StatusCode};
use regex::Regex;
use rstest::rstest;
use serde_json::json;
use todostack_api::{Login, PageSettings, RateLimit, Settings};

use crate::{
    client::{Client, Reply},
    server_process::Server,
    service::{On, Service},
};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

fn with_page() -> Settings {
    Settings { page: Some(PageSettings::default()), ..Settings::default() }
}

async fn get(client: &Client, path: &str, headers: &[(&str, &str)]) -> Reply {
    let request = client.request(Method::GET, path);
    client
        .send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)), "")
        .await
}

async fn page(client: &Client) -> Reply {
    let page = get(client, "/", &[("accept", BROWSER)]).await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
    page
}

/// The addresses of all files that the page loads, relative to it.
fn files(page: &Reply) -> Vec<String> {
    let html = std::str::from_utf8(&page.body).unwrap();
    let address = Regex::new(r#"(?:href|src)="(page/[^"]+)""#).unwrap();
    address.captures_iter(html).map(|found| format!("/{}", &found[1])).collect()
}

#[rstest]
#[case::browser(Some(BROWSER), true)]
#[case::health_check(None, false)]
#[case::curl(Some("*/*"), false)]
#[case::program(Some("application/json"), false)]
#[tokio::test]
async fn browsers_get_the_page_and_others_the_index(#[case] accept: Option<&str>, #[case] is_page: bool) {
    let service = Service::start_with(On::Sqlite, with_page()).await;
    let headers: Vec<_> = accept.map(|accept| ("accept", accept)).into_iter().collect();
    let reply = get(&service.client, "/", &headers).await;
    assert_eq!(reply.status, StatusCode::OK);
    let is_html = reply.header("content-type") == "text/html; charset=utf-8";
    assert_eq!(is_html, is_page);
    let vary = reply.headers.get_all("vary").iter().any(|value| value.to_str().unwrap().contains("accept"));
    assert!(vary, "a cache would give the page to programs");
}

#[tokio::test]
async fn the_index_links_to_all_collections_and_the_document() {
    let service = Service::start(On::Sqlite).await;
    let index = service.client.get("/").await.json();
    let base = &service.client.base;
    assert_eq!(
        index,
        json!({
            "todosUrl": format!("{base}/todos"),
            "listsUrl": format!("{base}/lists"),
            "openapiUrl": format!("{base}/openapi.json"),
        })
    );
    for (_, url) in index.as_object().unwrap() {
        assert_eq!(service.client.get(url.as_str().unwrap()).await.status, StatusCode::OK);
    }
    let head = service.client.send(service.client.request(Method::HEAD, "/"), "").await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
}

#[tokio::test]
async fn a_page_that_is_turned_off_does_not_exist() {
    let server = Server::start_with(&[("TODOSTACK_PAGE", "false")]).await;
    let index = get(&server.client, "/", &[("accept", BROWSER)]).await;
    assert_eq!(index.header("content-type"), "application/json");
    assert_eq!(server.client.get("/page.json").await.problem(), (404, "not-found".to_owned()));

    let server = Server::start("info").await;
    page(&server.client).await;
}

#[tokio::test]
async fn the_page_is_revalidated_and_its_files_are_cached_for_ever() {
    let service = Service::start_with(On::Sqlite, with_page()).await;
    let client = service.client.undocumented();
    let page = page(&client).await;
    assert_eq!(page.header("cache-control"), "no-cache");
    let files = files(&page);
    assert!(files.len() > 20, "{files:?}");
    let known = get(&client, "/", &[("accept", BROWSER), ("if-none-match", page.header("etag"))]).await;
    assert_eq!((known.status, known.body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(known.header("content-security-policy"), page.header("content-security-policy"));
    for file in files {
        let reply = get(&client, &file, &[]).await;
        assert_eq!(reply.status, StatusCode::OK, "{file}");
        assert_eq!(reply.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        let known = get(&client, &file, &[("if-none-match", reply.header("etag"))]).await;
        assert_eq!(known.status, StatusCode::NOT_MODIFIED, "{file}");
    }
}

#[tokio::test]
async fn files_are_compressed_for_those_who_accept_it_with_an_etag_of_their_own() {
    let service = Service::start_with(On::Sqlite, with_page()).await;
    let client = service.client.undocumented();
    let html = page(&client).await;
    for path in files(&html).into_iter().chain(["/".to_owned()]) {
        let plain = get(&client, &path, &[("accept", BROWSER)]).await;
        let gzip = get(&client, &path, &[("accept", BROWSER), ("accept-encoding", "gzip, br")]).await;
        assert_eq!(gzip.header("content-encoding"), "gzip", "{path}");
        assert!(gzip.body.len() < plain.body.len() && gzip.body.starts_with(&[0x1f, 0x8b]), "{path}");
        assert_ne!(gzip.header("etag"), plain.header("etag"), "{path}");
        assert!(plain.header("vary").contains("accept-encoding"), "{path}");
        assert!(plain.headers.get("content-encoding").is_none(), "{path}");
    }
}

#[rstest]
#[case::other_version("/page/AAAAAAAAAAAA/main.js")]
#[case::no_file("/page/{version}/nope.js")]
#[case::above("/page/{version}/../Cargo.toml")]
#[case::encoded("/page/{version}/..%2f..%2fCargo.toml")]
#[case::the_html("/page/{version}/index.html")]
#[case::no_version("/page/main.js")]
#[tokio::test]
async fn nothing_but_the_files_of_this_version_is_served_and_what_is_missing_is_not_cached(
    #[case] path: &str,
) {
    let service = Service::start_with(On::Sqlite, with_page()).await;
    let client = service.client.undocumented();
    let first = files(&page(&client).await).remove(0);
    let version = first.split('/').nth(2).unwrap();
    let reply = get(&client, &path.replace("{version}", version), &[]).await;
    assert_eq!(reply.problem(), (404, "not-found".to_owned()));
    assert!(!reply.header("cache-control").contains("max-age"), "{reply:?}");
}

#[tokio::test]
async fn the_policy_of_the_page_allows_nothing_unsafe_and_nothing_of_others() {
    let service = Service::start_with(On::Sqlite, with_page()).await;
    let page = page(&service.client).await;
    let policy = page.header("content-security-policy");
    for directive in
        ["default-src 'none'", "connect-src 'self';", "base-uri 'none'", "frame-ancestors 'none'"]
    {
        assert!(policy.contains(directive), "{policy}");
    }
    for unsafe_source in ["unsafe-", "*", "http:", "https:", "data:", "blob:"] {
        assert!(!policy.contains(unsafe_source), "{policy}");
    }
    let html = std::str::from_utf8(&page.body).unwrap();
    assert!(!html.contains("style=") && !html.contains("<style"), "the policy would not allow it");
    assert!(!Regex::new(r"\son[a-z]+=").unwrap().is_match(html), "the policy would not allow it");
    // Other responses are no pages, and may load nothing at all.
    let todos = service.client.get("/todos").await;
    assert_eq!(todos.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
    assert_eq!(todos.header("cache-control"), "private, no-cache");
}

#[tokio::test]
async fn the_page_learns_how_to_log_in_and_may_talk_to_the_issuer() {
    let origins = vec!["https://login.example.com".to_owned(), "https://tokens.example.com".to_owned()];
    let login = Login {
        issuer: "https://login.example.com/realms/shop".to_owned(),
        audience: "todos".to_owned(),
        client_id: "page".to_owned(),
        scope: "openid".to_owned(),
        origins,
    };
    let settings = Settings { page: Some(PageSettings { login: Some(login) }), ..Settings::default() };
    let service = Service::start_with(On::Sqlite, settings).await;
    let client = service.client.undocumented();
    let configuration = get(&client, "/page.json", &[]).await.json();
    assert_eq!(
        configuration["login"],
        json!({
            "issuer": "https://login.example.com/realms/shop",
            "audience": "todos",
            "clientId": "page",
            "scope": "openid",
        })
    );
    let policy = page(&client).await.header("content-security-policy").to_owned();
    assert!(policy.contains("connect-src 'self' https://login.example.com https://tokens.example.com;"));
}

#[tokio::test]
async fn neither_a_token_nor_the_rate_limit_stands_between_a_browser_and_the_page() {
    let one = NonZeroU32::new(1).unwrap();
    let rate_limit = Some(RateLimit { requests_per_second: one, burst: one });
    let service = Service::start_with(On::Sqlite, Settings { rate_limit, ..with_page() }).await;
    let client = service.client.undocumented();
    assert_eq!(get(&client, "/todos", &[]).await.status, StatusCode::OK);
    let html = page(&client).await;
    for path in files(&html).into_iter().chain(["/".to_owned(), "/page.json".to_owned()]) {
        assert_eq!(get(&client, &path, &[]).await.status, StatusCode::OK, "{path}");
    }
    assert_eq!(get(&client, "/todos", &[]).await.problem().0, 429);
}
