//! A size as lists give it: a number, a number as text, or none.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::row;

/// What a line says of a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// So many bytes, or nothing.
    Known(Option<u64>),
    /// Something else.
    Wrong,
}

impl Default for Size {
    fn default() -> Self {
        Self::Known(None)
    }
}

struct Any;

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

impl<'de> Visitor<'de> for Any {
    type Value = Size;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size")
    }

    fn visit_u64<E: Error>(self, bytes: u64) -> Result<Size, E> {
        Ok(Size::Known(Some(bytes)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
        Ok(row::size(text).map_or(Size::Wrong, Size::Known))
    }

    fn visit_unit<E: Error>(self) -> Result<Size, E> {
        Ok(Size::Known(None))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Size, E> {
        Ok(Size::Wrong)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Size, E> {
        Ok(Size::Wrong)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Size, E> {
        Ok(Size::Wrong)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rest: A) -> Result<Size, A::Error> {
        while rest.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Size::Wrong)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut rest: A) -> Result<Size, A::Error> {
        while rest.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Size::Wrong)
    }
}
