//! How fields of bodies are read, checked and written, those of todos and of lists. Which values are valid is
//! in the store.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serializer};
use todostack_store::Invalid;

use crate::{error::FieldError, schemas};

/// `2026-11-20T12:00:00.000Z`, as JavaScript's `toISOString`.
pub(crate) fn milliseconds<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// Distinguishes `null` from an absent field.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    reader: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(reader).map(Some)
}

/// An integer, or null. JSON has one kind of number: `5.0` is 5.
pub(crate) fn integer<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<i64>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(reader)? else {
        return Ok(None);
    };
    let whole = || {
        let float = number.as_f64().filter(|float| float.fract() == 0.0)?;
        // By way of text, since `as` would saturate what is beyond `i64`.
        format!("{float:.0}").parse().ok()
    };
    let number = number.as_i64().or_else(whole);
    number.map(Some).ok_or_else(|| serde::de::Error::custom("must be a whole number within 64 bits"))
}

#[expect(clippy::option_option, reason = "absent, null and a value are three things in a merge patch")]
pub(crate) fn present_integer<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<Option<i64>>, D::Error> {
    integer(reader).map(Some)
}

pub(crate) fn in_range(order: i64) -> Result<i64, Invalid> {
    let max = schemas::MAX_ORDER;
    if (-max..=max).contains(&order) {
        Ok(order)
    } else {
        Err(Invalid(format!("must be from -{max} to {max}").into()))
    }
}

pub(crate) const NULL: Invalid = Invalid(Cow::Borrowed("must not be null"));

/// The value, or `None` with its error in `errors`: a response lists all errors of a body.
pub(crate) fn checked<T>(
    pointer: &str,
    value: Result<T, Invalid>,
    errors: &mut Vec<FieldError>,
) -> Option<T> {
    value
        .map_err(|Invalid(why)| {
            errors.push(FieldError::new(pointer, why.into_owned()));
        })
        .ok()
}
