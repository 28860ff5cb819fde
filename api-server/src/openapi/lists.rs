//! The operations on the todos of one list, which are those on the default list at another path.

use utoipa::{
    Modify,
    openapi::{
        KnownFormat, ObjectBuilder, OpenApi, Required, ResponseBuilder, SchemaFormat, Type,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn},
    },
};

use super::{LIST, operations};

/// Gives each its own operation id, the path parameter, and the error of a list that does not exist.
pub(super) struct OneList;

impl Modify for OneList {
    fn modify(&self, document: &mut OpenApi) {
        for (path, item) in &mut document.paths.paths {
            if path.strip_prefix(LIST).is_some_and(|rest| rest.starts_with("/todos")) {
                operations(item).for_each(|(_, operation)| put_in_list(operation));
            }
        }
    }
}

fn put_in_list(operation: &mut Operation) {
    operation.operation_id = operation.operation_id.take().map(|id| format!("{id}InList"));
    operation.parameters.get_or_insert_default().insert(0, list().into());
    let missing = ResponseBuilder::new().description("No such list").build();
    // Operations on one todo declare it: there the todo does not exist.
    operation.responses.responses.entry("404".to_owned()).or_insert(missing.into());
}

fn list() -> Parameter {
    let number = ObjectBuilder::new().schema_type(Type::Integer);
    ParameterBuilder::new()
        .name("list")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some("The number of the list"))
        .schema(Some(number.format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))))
        .build()
}
