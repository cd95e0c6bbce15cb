//! Addresses in lists made absolute. Most lines name the host of the line before, in letters that
//! mean themselves: those need no parsing.

use std::borrow::Cow;

use url::{Position, Url};

/// The origin of the last address, with its slash.
#[derive(Debug, Default)]
pub struct Addresses(String);

impl Addresses {
    /// An absolute web address without a fragment, as a parser of URLs would write it. Relative ones are
    /// relative to `base`.
    pub fn whole<'a>(
        &mut self,
        text: &'a str,
        base: Option<&Url>,
    ) -> Result<Cow<'a, str>, &'static str> {
        let rest = text.strip_prefix(self.0.as_str());
        if !self.0.is_empty() && rest.is_some_and(is_plain) {
            return Ok(Cow::Borrowed(text));
        }
        let url = address(text, base)?;
        let origin = &url[..Position::BeforePath];
        if !self.0.starts_with(origin) || self.0.len() != origin.len() + 1 {
            self.0 = format!("{origin}/");
        }
        Ok(Cow::Owned(url.into()))
    }
}

/// True for the path of a URL, without its first slash, and a query, that stand for themselves: no
/// letter in them is escaped or given a meaning, and no segment leads up or nowhere.
fn is_plain(text: &str) -> bool {
    let mut before = b'/';
    text.bytes().all(|letter| {
        // A segment may be `.`, or the same escaped.
        let is_dot = before == b'/' && matches!(letter, b'.' | b'%');
        before = letter;
        !is_dot && (letter.is_ascii_alphanumeric() || b"-_~./=&+,;:@!$()*?%".contains(&letter))
    })
}

/// An absolute web address without a fragment.
fn address(text: &str, base: Option<&Url>) -> Result<Url, &'static str> {
    let parsed = match base {
        Some(base) => base.join(text),
        None => Url::parse(text),
    };
    let mut url = parsed.map_err(|_| "it is no absolute URL; relative ones need --base")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("its URL is neither http nor https");
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("its URL names no host");
    }
    url.set_fragment(None);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_parsed_is_what_a_parser_makes_of_it() {
        let mut letters: Vec<String> = (1..128_u8).map(|at| char::from(at).to_string()).collect();
        let parts = [
            "..",
            ".",
            "%2e",
            "%2E%2e",
            "a.b",
            "//",
            "%zz",
            "é",
            "?a=b/../c",
            "a?b#c",
            "@",
        ];
        letters.extend(parts.map(str::to_owned));
        let mut taken = 0;
        for origin in ["http://h", "https://h:81", "http://u:p@h", "http://[::1]:8"] {
            let mut addresses = Addresses::default();
            assert!(addresses.whole(&format!("{origin}/first"), None).is_ok());
            for (one, other) in letters
                .iter()
                .flat_map(|one| letters.iter().map(move |two| (one, two)))
            {
                for text in [
                    format!("{origin}/{one}{other}"),
                    format!("{origin}/x/{one}/{other}"),
                ] {
                    let found = addresses.whole(&text, None);
                    taken += usize::from(matches!(found, Ok(Cow::Borrowed(_))));
                    let parsed = address(&text, None).map(String::from);
                    assert_eq!(found.map(Cow::into_owned), parsed, "{text}");
                }
            }
        }
        assert!(taken > 10_000, "{taken}");
    }

    #[test]
    fn the_origin_of_another_line_is_no_beginning_of_this_one() {
        let mut addresses = Addresses::default();
        for text in [
            "http://h/a",
            "http://h:8/b",
            "http://h.example/c",
            "HTTP://H/d",
            "http://h",
        ] {
            let parsed = address(text, None).map(String::from);
            assert_eq!(addresses.whole(text, None).map(Cow::into_owned), parsed);
        }
    }
}
