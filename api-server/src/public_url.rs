//! The configured public URL. How links are made from it is in `links`.

use std::str::FromStr;

use http::Uri;

/// `https://shop.example.com/api`: absolute, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || format!("`{text}` is not an absolute URL such as https://shop.example.com/api");
        let uri: Uri = text.parse().map_err(|_| invalid())?;
        if !matches!(uri.scheme_str(), Some("http" | "https"))
            || uri.authority().is_none()
            || uri.query().is_some()
        {
            return Err(invalid());
        }
        // Paths are appended with their slash.
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

impl PublicUrl {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://shop.example.com/", Ok("https://shop.example.com"))]
    #[case("shop.example.com", Err(()))]
    #[case("https://shop.example.com/?a=b", Err(()))]
    fn a_public_url_is_absolute_and_ends_without_a_slash(#[case] text: &str, #[case] base: Result<&str, ()>) {
        let parsed = text.parse::<PublicUrl>().map(|url| url.0).map_err(drop);
        assert_eq!(parsed, base.map(str::to_owned));
    }
}
