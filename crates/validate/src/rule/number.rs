//! Numbers.

/// The greatest integer up to which every integer is a double too: 2^53 - 1.
pub const SAFE_INT: i64 = (1 << 53) - 1;

/// Whether every JSON reader keeps this integer exactly (RFC 7493, 2.2).
#[must_use]
pub const fn is_safe_int(value: i128) -> bool {
    value >= -(SAFE_INT as i128) && value <= SAFE_INT as i128
}

/// Whether this is a decimal number of at most `digits` digits, at most `places` of them behind
/// the point; money as text is `decimal(12, 2)`.
#[must_use]
pub const fn is_decimal(text: &[u8], digits: usize, places: usize) -> bool {
    let start = !text.is_empty() && text[0] == b'-';
    let first = if start { 1 } else { 0 };
    let mut point = None;
    let mut at = first;
    while at < text.len() {
        match text[at] {
            b'0'..=b'9' => {}
            b'.' if point.is_none() => point = Some(at),
            _ => return false,
        }
        at += 1;
    }
    let (whole, behind) = match point {
        Some(point) => (point - first, text.len() - point - 1),
        None => (text.len() - first, 0),
    };
    let leading_zero = whole > 1 && text[first] == b'0';
    whole > 0
        && !leading_zero
        && (point.is_none() || behind > 0)
        && behind <= places
        && whole + behind <= digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_counted_on_their_text() {
        for good in ["0", "-1.50", "9999999999.99", "0.1"] {
            assert!(is_decimal(good.as_bytes(), 12, 2), "{good}");
        }
        for bad in [
            "",
            "-",
            ".5",
            "1.",
            "01",
            "1.234",
            "99999999999.99",
            "1e3",
            "+1",
            "1.2.3",
        ] {
            assert!(!is_decimal(bad.as_bytes(), 12, 2), "{bad}");
        }
    }

    #[test]
    fn an_integer_is_safe_up_to_two_to_the_53_less_one() {
        assert_eq!(SAFE_INT, 9_007_199_254_740_991);
        for safe in [0, -1, 1, 9_007_199_254_740_991, -9_007_199_254_740_991] {
            assert!(is_safe_int(safe), "{safe}");
        }
        for unsafe_ in [
            9_007_199_254_740_992,
            -9_007_199_254_740_992,
            i128::MAX,
            i128::MIN,
        ] {
            assert!(!is_safe_int(unsafe_), "{unsafe_}");
        }
    }

    #[test]
    fn a_sign_is_no_digit() {
        assert!(is_decimal(b"-12.34", 4, 2) && !is_decimal(b"-123.45", 4, 2));
        assert!(is_decimal(b"1234", 4, 2) && !is_decimal(b"12345", 4, 2));
        assert!(is_decimal(b"12", 2, 0) && !is_decimal(b"1.0", 2, 0));
        assert!(
            !is_decimal(b"-.5", 4, 2) && !is_decimal(b"--1", 4, 2) && !is_decimal(b"-01", 4, 2)
        );
    }
}
