//! Lists of patterns, with exports and hosts that they allow and do not allow.

use rstest::rstest;
use todostack_crds::storage::NfsExport;

use super::*;

fn export(server: &str, path: &str) -> Export {
    let export: NfsExport =
        serde_json::from_value(serde_json::json!({"server": server, "path": path})).unwrap();
    Export::from(&export)
}

#[rstest]
#[case::nothing("", "nas", "/exports/shops", false)]
#[case::all("*", "nas", "/exports/shops", true)]
#[case::directory("nas:/exports/shops", "nas", "/exports/shops", true)]
#[case::below("nas:/exports/{namespace}", "nas", "/exports/shops/one/two", true)]
#[case::above("nas:/exports/{namespace}", "nas", "/exports", false)]
#[case::longer_name("nas:/exports/{namespace}", "nas", "/exports/shops-2", false)]
#[case::another_namespace("nas:/exports/{namespace}", "nas", "/exports/other/shops", false)]
#[case::out_of_it("nas:/exports/{namespace}", "nas", "/exports/shops/../other", false)]
#[case::into_it("nas:/exports/{namespace}", "nas", "//exports/./other/../shops", true)]
#[case::part_of_a_name("nas:/exports/team-{namespace}", "nas", "/exports/team-shops", true)]
#[case::another_server("nas:/exports", "nas-2", "/exports/shops", false)]
#[case::spelling_of_the_server("NAS.example.com.:/exports", "nas.EXAMPLE.com", "/exports/x", true)]
#[case::server_of_the_namespace("{namespace}.nas:/", "shops.nas", "/any", true)]
#[case::whole_server("nas:/", "nas", "/", true)]
#[case::address("fd00:0::1:/e", "fd00::1", "/e", true)]
#[case::second_entry("a:/e, nas:/exports/", "nas", "/exports", true)]
fn an_export_is_allowed_by_its_directories(
    #[case] list: &str,
    #[case] server: &str,
    #[case] path: &str,
    #[case] expected: bool,
) {
    let allowed: AllowedExports = list.parse().unwrap();
    assert_eq!(allowed.allows(&export(server, path), "shops"), expected);
}

#[rstest]
#[case::nothing("", Some("shop.example.com"), false)]
#[case::all("*", Some("shop.example.com"), true)]
#[case::all_and_every_host("*", None, true)]
#[case::every_host("*.example.com", None, false)]
#[case::exact("shop.example.com", Some("shop.example.com"), true)]
#[case::one_label("*.{namespace}.example.com", Some("a.shops.example.com"), true)]
#[case::two_labels("*.{namespace}.example.com", Some("a.b.shops.example.com"), false)]
#[case::no_label("*.{namespace}.example.com", Some("shops.example.com"), false)]
#[case::another_namespace("*.{namespace}.example.com", Some("a.shops-2.example.com"), false)]
#[case::part_of_a_label("todo-{namespace}.com", Some("todo-shops.com"), true)]
#[case::another_domain("*.example.com", Some("shop.example.com.evil.net"), false)]
#[case::no_dot("*.example.com", Some("shop-example.com"), false)]
fn a_host_is_allowed_by_its_labels(#[case] list: &str, #[case] host: Option<&str>, #[case] expected: bool) {
    let allowed: AllowedHosts = list.parse().unwrap();
    assert_eq!(allowed.allows(host, "shops"), expected);
}

#[rstest]
#[case::no_server("/exports")]
#[case::empty_server(":/exports")]
#[case::relative("nas:exports")]
#[case::parent("nas:/exports/../etc")]
#[case::glob("nas:/exports/*")]
#[case::other_placeholder("nas:/exports/{name}")]
fn what_is_no_pattern_of_an_export_is_an_error(#[case] entry: &str) {
    assert_eq!(entry.parse::<AllowedExports>(), Err(Invalid::Export(entry.to_owned())));
}

#[rstest]
#[case::upper_case("Shop.example.com")]
#[case::part_of_a_label("shop-*.example.com")]
#[case::empty_label("shop..example.com")]
#[case::other_placeholder("{name}.example.com")]
#[case::url("https://example.com")]
fn what_is_no_pattern_of_a_host_is_an_error(#[case] entry: &str) {
    assert_eq!(entry.parse::<AllowedHosts>(), Err(Invalid::Host(entry.to_owned())));
}
