//! Text of a JSON line that is not copied unless it holds escapes.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// A string inside the line it was read from. (Inside an `Option`, serde copies a plain [`Cow`].)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Borrowed<'a>(pub Cow<'a, str>);

struct Text<'a>(PhantomData<&'a str>);

impl<'de: 'a, 'a> Deserialize<'de> for Borrowed<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text(PhantomData))
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Text<'a> {
    type Value = Borrowed<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Borrowed(text.into()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Borrowed(text.to_owned().into()))
    }
}
