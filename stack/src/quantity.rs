//! Quantities of storage as Kubernetes writes them, such as `1Gi`: which of two is larger. Other units are
//! not read.

/// Units by their suffix, in thousandths of a byte, so that `m` is a whole number.
const UNITS: &[(&str, u128)] = &[
    ("Ki", 1000 << 10),
    ("Mi", 1000 << 20),
    ("Gi", 1000 << 30),
    ("Ti", 1000 << 40),
    ("Pi", 1000 << 50),
    ("Ei", 1000 << 60),
    ("m", 1),
    ("k", 1_000_000),
    ("M", 1_000_000_000),
    ("G", 1_000_000_000_000),
    ("T", 1_000_000_000_000_000),
    ("P", 1_000_000_000_000_000_000),
    ("E", 1_000_000_000_000_000_000_000),
    ("", 1000),
];

/// A quantity that can be compared, in thousandths of a byte. None for what is no quantity.
pub fn parse(quantity: &str) -> Option<u128> {
    let (number, unit) = UNITS.iter().find_map(|(suffix, unit)| {
        let number = quantity.strip_suffix(suffix)?;
        number.ends_with(|sign: char| sign.is_ascii_digit()).then_some((number, *unit))
    })?;
    let (number, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let power = 10_u128.checked_pow(exponent.parse().ok()?)?;
    digits.checked_mul(unit)?.checked_mul(power)?.checked_div(scale)
}

pub(crate) fn is_larger(quantity: &str, than: &str) -> bool {
    parse(quantity) > parse(than)
}

/// The larger of two quantities; the first, if they are equal.
pub(crate) fn larger<'a>(one: &'a str, two: &'a str) -> &'a str {
    if is_larger(two, one) { two } else { one }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::bytes("1073741824", "1Gi")]
    #[case::mebibytes("1024Mi", "1Gi")]
    #[case::fraction("0.5Gi", "512Mi")]
    #[case::exponent("1e9", "1G")]
    #[case::thousandths("2000m", "2")]
    fn every_spelling_of_a_quantity_is_equal(#[case] one: &str, #[case] two: &str) {
        assert!(parse(one).is_some());
        assert_eq!(parse(one), parse(two));
    }

    #[rstest]
    #[case("1G", "1Gi")]
    #[case("1023Mi", "1Gi")]
    #[case("9007199254740992Ti", "9007199254740993Ti")]
    fn quantities_are_compared_exactly(#[case] small: &str, #[case] large: &str) {
        assert!(parse(small).unwrap() < parse(large).unwrap());
    }

    #[rstest]
    #[case("")]
    #[case("Gi")]
    #[case("1 Gi")]
    #[case("much")]
    #[case("-1Gi")]
    fn what_is_no_quantity_is_none(#[case] text: &str) {
        assert_eq!(parse(text), None);
    }
}
