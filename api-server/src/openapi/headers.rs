//! Headers that responses have in common. Those of a single operation are declared by its handler.

use utoipa::{
    Modify,
    openapi::{
        Header, HeaderBuilder, Object, OpenApi, Ref, RefOr, Response, Schema, Type, extensions::Extensions,
        schema::SchemaType,
    },
};

use super::operations;

/// Of any response: name, whether required, description.
const ANY: [(&str, bool, &str); 3] = [
    ("x-request-id", true, "The id of this request in logs: its own X-Request-Id, else its trace id"),
    ("ratelimit-policy", false, "With a rate limit: the quota of a client"),
    (
        "ratelimit",
        false,
        "With a rate limit: the remaining requests of this client, and the seconds until the quota is full",
    ),
];

/// Of errors: name, description, statuses.
const ERROR: [(&str, &str, &[&str]); 3] = [
    ("www-authenticate", "The token that is needed", &["401", "403"]),
    ("retry-after", "Seconds to wait", &["409", "429", "503", "507"]),
    ("allow", "The methods that the path supports", &["405"]),
];

/// Adds the headers, which are components, and says of every header whether it is required.
pub(super) struct CommonHeaders;

impl Modify for CommonHeaders {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let any = ANY.map(|(name, required, description)| (name, header(description, required)));
        let error = ERROR.map(|(name, description, _)| (name, header(description, true)));
        let headers = any.into_iter().chain(error).map(|(name, header)| (name.to_owned(), header.into()));
        components.headers.extend(headers);
        for (status, response) in &mut components.responses {
            // The components are named `Error401`.
            add(status.trim_start_matches(char::is_alphabetic), response);
        }
        for (_, operation) in document.paths.paths.values_mut().flat_map(operations) {
            for (status, response) in &mut operation.responses.responses {
                add(status, response);
            }
        }
    }
}

fn add(status: &str, response: &mut RefOr<Response>) {
    let RefOr::T(response) = response else { return };
    for own in response.headers.values_mut() {
        if let RefOr::T(own) = own {
            let required = !is_nullable(own);
            *own = header(own.description.as_deref().unwrap_or_default(), required);
        }
    }
    let error = ERROR.iter().filter(|(.., statuses)| statuses.contains(&status)).map(|(name, ..)| *name);
    for name in ANY.iter().map(|(name, ..)| *name).chain(error) {
        let shared = Ref::new(format!("#/components/headers/{name}"));
        response.headers.insert(name.to_owned(), RefOr::Ref(shared));
    }
}

/// Handlers declare a header that may be absent as `Option<String>`.
fn is_nullable(header: &Header) -> bool {
    let Some(RefOr::T(Schema::Object(object))) = &header.schema else { return false };
    matches!(object.schema_type, SchemaType::Array(_))
}

fn header(description: &str, required: bool) -> Header {
    // utoipa's header has no field for it.
    let required = Extensions::from_iter([("required", required)]);
    let text = Object::with_type(Type::String);
    HeaderBuilder::new().description(Some(description)).schema(Some(text)).extensions(Some(required)).build()
}
