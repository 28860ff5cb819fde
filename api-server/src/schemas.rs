//! JSON schemas of single values, with the limits that the code checks: those of the store's types and of
//! numbers. The schemas of whole bodies are derived from their structs.

use todostack_store::{ListName, Tags, Title};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        KnownFormat, Object, ObjectBuilder, Ref, RefOr, Schema, SchemaFormat, Type,
        schema::{AnyOfBuilder, Array, ArrayBuilder, SchemaType},
    },
};

/// `Number.MAX_SAFE_INTEGER` of JavaScript, which would round larger numbers.
pub(crate) const MAX_ORDER: i64 = 9_007_199_254_740_991;

/// Of the dates of RFC 3339; both databases keep the others.
const NOT_YEAR_ZERO: &str = "^([1-9]...|.[1-9]..|..[1-9].|...[1-9])-";

const NOT_BLANK: &str = r"^[^\u0000]*[^\s\u0000][^\u0000]*$";

pub(crate) fn title() -> Object {
    text(Title::MAX_CHARS).description(Some("The text of the todo.")).build()
}

pub(crate) fn list_name() -> Object {
    text(ListName::MAX_CHARS).description(Some("The name, which need not be unique.")).build()
}

/// A component, since an array refers to it.
pub(crate) struct Tag;

impl ToSchema for Tag {}

impl PartialSchema for Tag {
    fn schema() -> RefOr<Schema> {
        text(Tags::MAX_CHARS).description(Some("A label of a todo.")).into()
    }
}

fn text(max_chars: usize) -> ObjectBuilder {
    let builder = ObjectBuilder::new().schema_type(Type::String);
    // JSON Schema counts characters as the store does.
    builder.min_length(Some(1)).max_length(Some(max_chars)).pattern(Some(NOT_BLANK))
}

/// Of a stored todo.
pub(crate) fn tags() -> Array {
    let tags = ArrayBuilder::new().items(Object::with_type(Type::String)).unique_items(true);
    tags.description(Some("Labels of the todo.")).build()
}

/// Of a todo that is created or replaced.
pub(crate) fn new_tags() -> Array {
    tags_or_null("Different labels.")
}

/// Of a merge patch.
pub(crate) fn replaced_tags() -> Array {
    tags_or_null("Different labels, which replace the previous ones.")
}

fn tags_or_null(description: &str) -> Array {
    ArrayBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Array, Type::Null]))
        .items(Ref::from_schema_name("Tag"))
        .max_items(Some(Tags::MAX))
        .unique_items(true)
        .description(Some(description))
        .build()
}

/// `anyOf`, since few generators support a format where more than one type is allowed.
pub(crate) fn due_date() -> Schema {
    let format = Some(SchemaFormat::KnownFormat(KnownFormat::Date));
    let date = ObjectBuilder::new().schema_type(Type::String).format(format).pattern(Some(NOT_YEAR_ZERO));
    let date_or_null = AnyOfBuilder::new().item(date).item(Object::with_type(Type::Null));
    Schema::AnyOf(date_or_null.description(Some("The day on which the todo is due, from year 1.")).build())
}

pub(crate) fn order() -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Integer, Type::Null]))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(-MAX_ORDER))
        .maximum(Some(MAX_ORDER))
        .description(Some("The position among others, as the client chooses; a safe integer of JavaScript."))
        .build()
}
