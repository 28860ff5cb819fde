//! Parameters that may be absent: utoipa declares them nullable, but a query or a header has no `null`.

use utoipa::{
    Modify,
    openapi::{OpenApi, RefOr, Schema, Type, schema::SchemaType},
};

use super::operations;

/// Takes `null` from the types of parameters.
pub(super) struct NotNull;

impl Modify for NotNull {
    fn modify(&self, document: &mut OpenApi) {
        let operations = document.paths.paths.values_mut().flat_map(operations);
        for parameter in operations.flat_map(|(_, operation)| operation.parameters.iter_mut().flatten()) {
            if let RefOr::T(parameter) = parameter
                && let Some(RefOr::T(Schema::Object(object))) = &mut parameter.schema
                && let SchemaType::Array(types) = &object.schema_type
                && let Some(only) = types.iter().find(|kind| **kind != Type::Null)
            {
                // `required` says already that it may be absent.
                object.schema_type = SchemaType::Type(only.clone());
            }
        }
    }
}
