//! One parameter of a query, as RFC 9421 has it: decoded, and encoded again in one way.

/// Returns the value of the parameter `name`, which is given encoded, if it comes exactly once.
///
/// Covering one of two parameters of a name would say nothing about which one the application
/// reads, so that is refused.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (recoded(name), value)
        });
    let (_, value) = pairs.find(|(known, _)| known == name)?;
    let twice = pairs.any(|(known, _)| known == name);
    (!twice).then(|| recoded(value))
}

fn recoded(text: &str) -> String {
    let decoded = decoded(text);
    let decoded = String::from_utf8_lossy(&decoded);
    let mut out = String::with_capacity(decoded.len());
    for byte in decoded.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'-' | b'.' | b'_') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn decoded(text: &str) -> Vec<u8> {
    let digit = |byte: &u8| {
        char::from(*byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let code = match after {
            [high, low, ..] if *byte == b'%' => digit(high).zip(digit(low)),
            _ => None,
        };
        match (byte, code) {
            (_, Some((high, low))) => {
                out.push((high << 4) + low);
                rest = &after[2..];
                continue;
            }
            (b'+', None) => out.push(b' '),
            (byte, None) => out.push(*byte),
        }
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_encoded_in_one_way() {
        let query =
            "var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus&fa%C3%A7ade%22%3A%20=x&e=&n";
        assert_eq!(
            parameter(query, "var").as_deref(),
            Some("this%20is%20a%20big%0Amultiline%20value")
        );
        assert_eq!(parameter(query, "bar").as_deref(), Some("with%20plus"));
        assert_eq!(
            parameter(query, "fa%C3%A7ade%22%3A%20").as_deref(),
            Some("x")
        );
        assert_eq!(parameter(query, "e").as_deref(), Some(""));
        assert_eq!(parameter(query, "n").as_deref(), Some(""));
        assert_eq!(parameter(query, "none"), None);
        assert_eq!(parameter("%zz=%4", "%25zz").as_deref(), Some("%254"));
    }

    #[test]
    fn a_parameter_that_comes_twice_has_no_value() {
        assert_eq!(parameter("a=1&b=2&%61=3", "a"), None);
    }
}
