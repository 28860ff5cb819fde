//! Errors that operations have in common. Those of a single operation are declared by its handler.

use utoipa::{
    IntoResponses, Modify,
    openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder, path::HttpMethod},
};

use super::operations;

/// Of any operation. In the document each is a component, to which the operations refer.
const ANY: [(&str, &str); 6] = [
    ("401", "With authentication: the token is missing or invalid"),
    ("403", "With authentication: the token lacks the scope"),
    ("429", "With a rate limit: the client sent too many requests"),
    ("431", "The headers are too large"),
    ("500", "Internal error"),
    ("503", "The service or its database is not available"),
];

/// Of any operation that writes.
const WRITE: (&str, &str) = ("507", "The database has no space left");

/// Of any operation with a body.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only the responses are used")]
enum BodyError {
    /// The body is not JSON, or a header is invalid
    #[response(status = 400)]
    Malformed,
    /// The body did not arrive in time
    #[response(status = 408)]
    TimedOut,
    /// The body is too large
    #[response(status = 413)]
    TooLarge,
    /// The content type is not JSON
    #[response(status = 415)]
    NotJson,
}

/// Adds the errors, and gives every response that is an error the body of a problem.
pub(super) struct CommonErrors;

impl Modify for CommonErrors {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        for (status, description) in ANY.into_iter().chain([WRITE]) {
            let response = ResponseBuilder::new().description(description).build();
            components.responses.insert(component(status), problem(response).into());
        }
        for (method, operation) in document.paths.paths.values_mut().flat_map(operations) {
            let responses = &mut operation.responses.responses;
            if operation.request_body.is_some() {
                responses.extend(BodyError::responses());
            }
            for (status, response) in &mut *responses {
                // References are components, which are problems already.
                if let RefOr::T(response) = response
                    && status.starts_with(['4', '5'])
                {
                    *response = problem(std::mem::take(response));
                }
            }
            for (status, _) in ANY.into_iter().chain((method != HttpMethod::Get).then_some(WRITE)) {
                let shared = Ref::from_response_name(component(status));
                responses.entry(status.to_owned()).or_insert(shared.into());
            }
        }
    }
}

fn component(status: &str) -> String {
    format!("Error{status}")
}

fn problem(mut response: Response) -> Response {
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    response.content = [("application/problem+json".to_owned(), problem.into())].into_iter().collect();
    response
}
