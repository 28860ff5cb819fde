//! Values that software has failed on: JSON as text, since no value of `serde_json` is a half of a surrogate
//! pair, query strings, and headers.

use http::HeaderValue;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use proptest::prelude::*;

/// Any text, as JSON.
fn text() -> impl Strategy<Value = String> {
    let any = prop::collection::vec(any::<char>(), 0..40).prop_map(String::from_iter);
    let long = (990..1_010_usize, prop::sample::select(vec!["a", "é", "😀", "\u{301}"]))
        .prop_map(|(count, character)| character.repeat(count));
    prop_oneof![4 => any, 1 => long, 4 => "[ -~]{0,20}"]
        .prop_map(|text| serde_json::to_string(&text).unwrap())
}

fn scalar() -> impl Strategy<Value = String> {
    let special = vec![
        // Characters.
        r#""\ud800""#,
        r#""a\udc00\ud800b""#,
        r#""\ud83d\ude00""#,
        r#""a\u0000b""#,
        r#""\u0000""#,
        r#""\uffff\ufdd0""#,
        r#""\ufeff""#,
        r#""\u200b""#,
        r#""\u00a0""#,
        r#""\u2028\u2029""#,
        r#""e\u0301""#,
        r#""\u00e9""#,
        r#""\u202e""#,
        r#""\\u0000""#,
        r#""'; drop table todos; --""#,
        r#""\/\b\f\n\r\t\"""#,
        // Numbers.
        "1e999",
        "-1e999",
        "1e-999",
        "1E2",
        "0.0",
        "-0",
        "-0.0",
        "1.5",
        "9007199254740991",
        "9007199254740991.0",
        "-9007199254740992",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551616",
        "123456789012345678901234567890123456789012345678901234567890",
        "0.000000000000000000000000000000000000000000000000000000000001",
        // Days.
        r#""2026-11-20""#,
        r#""2024-02-29""#,
        r#""2023-02-29""#,
        r#""0000-01-01""#,
        r#""0001-01-01""#,
        r#""9999-12-31""#,
        r#""10000-01-01""#,
        r#""+10000-01-01""#,
        r#""-0001-01-01""#,
        r#""-4713-01-01""#,
        r#""-262143-01-01""#,
        r#""262142-12-31""#,
        r#""5874898-01-01""#,
        r#""2026-1-1""#,
        r#"" 2026-11-20""#,
        r#""2026-11-20T00:00:00Z""#,
        r#""infinity""#,
        // Others.
        "null",
        "true",
        "false",
        r#""low""#,
        r#""LOW""#,
        "{}",
        "[]",
        r#"{"high":null}"#,
    ];
    prop_oneof![3 => prop::sample::select(special).prop_map(str::to_owned), 2 => text()]
}

fn value() -> impl Strategy<Value = String> {
    let array = prop::collection::vec(scalar(), 0..23).prop_map(|items| format!("[{}]", items.join(",")));
    let deep = (1..3_000_usize, any::<bool>()).prop_map(|(depth, objects)| {
        let (open, close) = if objects { ("{\"a\":", "}") } else { ("[", "]") };
        format!("{}1{}", open.repeat(depth), close.repeat(depth))
    });
    prop_oneof![6 => scalar(), 3 => array, 1 => deep]
}

/// A JSON object, mostly with a title and a name that are valid.
pub(super) fn body() -> impl Strategy<Value = String> {
    let names =
        vec!["title", "name", "completed", "order", "dueDate", "tags", "priority", "other", "\\ud800"];
    let own = prop::collection::btree_map(prop::sample::select(names), value(), 0..4);
    (own, any::<bool>(), 0..10).prop_map(|(own, named, twice)| {
        let mut fields: Vec<_> = own.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        for name in ["title", "name"] {
            if named && !own.contains_key(name) {
                fields.push(format!("\"{name}\":\"tea\""));
            }
        }
        if twice == 0 {
            fields.extend(fields.first().cloned());
        }
        format!("{{{}}}", fields.join(","))
    })
}

/// A query string. No letters outside of ASCII, of which SQLite does not ignore the case.
pub(super) fn query() -> impl Strategy<Value = String> {
    let names = vec!["limit", "cursor", "sort", "completed", "q", "list", "other", "%00"];
    let special = vec![
        "",
        "0",
        "1",
        "1000",
        "1001",
        "-1",
        "+5",
        "1e3",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "true",
        "TRUE",
        "created",
        "-order",
        "order..9223372036854775807",
        "-order.9223372036854775807.9223372036854775807",
        "order.-9223372036854775808.-9223372036854775808",
        "created..0",
        "-created..9223372036854775807",
        "created.1.2.3",
        "te",
        "T%E2%80%AE",
        "%25",
        "_",
        "%5C",
        "%27",
        "%00",
        "%ff",
        "%F0%9F%98%80",
        "%zz",
        "LIST",
    ];
    let any = prop::collection::vec(any::<u8>().prop_filter("ASCII or broken", |byte| *byte < 0xc0), 0..12);
    let any = any.prop_map(|bytes| percent_encode(&bytes, NON_ALPHANUMERIC).to_string());
    let long = (195..205_usize).prop_map(|count| "x".repeat(count));
    let value = prop_oneof![
        8 => prop::sample::select(special).prop_map(str::to_owned),
        3 => any,
        1 => long,
    ];
    let pair = (prop::sample::select(names), value).prop_map(|(name, value)| format!("{name}={value}"));
    prop::collection::vec(pair, 0..4).prop_map(|pairs| pairs.join("&"))
}

pub(super) fn header_value() -> impl Strategy<Value = HeaderValue> {
    let special = vec![
        "",
        "*",
        "\"",
        "\"\"",
        "\"1.1\"",
        "\"1.2\"",
        "W/\"1.2\"",
        "\"1.2-gzip\"",
        "\"1.2;br\", \"x\"",
        "\"1.9223372036854775808\"",
        "\"1.-1\"",
        "bytes=0-0",
        "bytes=99999999999999999999-",
        "gzip;q=0, identity;q=0, *;q=0",
        "gzip",
        "text/html",
        "application/json; charset=utf-16",
        "application/x-ndjson",
        "k1",
        "a b",
        "0-0-0",
        "ffffffffffffffff-9223372036854775807-9223372036854775807",
        "0--9223372036854775808--9223372036854775808",
        "99999999999999999999-1-1",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "for=\"[::1]:x\";host=\"",
        "example.com:99999999",
        "null",
        "https://a.example",
    ];
    let special = prop::sample::select(special).prop_map(HeaderValue::from_static);
    let bytes = prop_oneof![32..=126_u8, 128..=255_u8, Just(b'\t')];
    let bytes = prop::collection::vec(bytes, 0..24).prop_map(|it| HeaderValue::from_bytes(&it).unwrap());
    let long = (250..260_usize).prop_map(|count| HeaderValue::try_from("k".repeat(count)).unwrap());
    let many = (1..1_500_usize).prop_map(|count| HeaderValue::try_from("\"1.2\", ".repeat(count)).unwrap());
    prop_oneof![6 => special, 3 => bytes, 1 => long, 1 => many]
}
