//! Identifiers: UUID, ULID, nano id.

/// Whether this is a UUID in its usual spelling, of any version: 36 characters with hyphens.
#[must_use]
pub const fn is_uuid(text: &[u8]) -> bool {
    if text.len() != 36 {
        return false;
    }
    let mut at = 0;
    while at < 36 {
        let fits = match at {
            8 | 13 | 18 | 23 => text[at] == b'-',
            _ => text[at].is_ascii_hexdigit(),
        };
        if !fits {
            return false;
        }
        at += 1;
    }
    true
}

/// Whether this is a UUID of this version, and of the variant that has versions (RFC 9562).
#[must_use]
pub const fn is_uuid_version(text: &[u8], version: u8) -> bool {
    is_uuid(text)
        && version >= 1
        && version <= 8
        && text[14] == b'0' + version
        && matches!(text[19], b'8' | b'9' | b'a' | b'b' | b'A' | b'B')
}

/// Whether this is a ULID: 26 characters of Crockford's base 32, in either case, that fit 128 bits.
#[must_use]
pub const fn is_ulid(text: &[u8]) -> bool {
    if text.len() != 26 || text[0] > b'7' {
        return false;
    }
    let mut at = 0;
    while at < 26 {
        let fits = matches!(
            text[at].to_ascii_uppercase(),
            b'0'..=b'9' | b'A'..=b'H' | b'J' | b'K' | b'M' | b'N' | b'P'..=b'T' | b'V'..=b'Z'
        );
        if !fits {
            return false;
        }
        at += 1;
    }
    true
}

/// Whether this is a nano id of this length: letters, digits, `_` and `-`.
#[must_use]
pub const fn is_nanoid(text: &[u8], length: usize) -> bool {
    if text.len() != length {
        return false;
    }
    let mut at = 0;
    while at < length {
        if !(text[at].is_ascii_alphanumeric() || matches!(text[at], b'_' | b'-')) {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_spelled_one_way() {
        assert!(is_uuid(b"2EB8AA08-AA98-11EA-B4AA-73B441D16380"));
        for bad in [
            "2eb8aa08aa9811eab4aa73b441d16380",
            "{2eb8aa08-aa98-11ea-b4aa-73b441d16380}",
            "",
        ] {
            assert!(!is_uuid(bad.as_bytes()), "{bad}");
        }
        assert!(is_uuid_version(b"2eb8aa08-aa98-41ea-b4aa-73b441d16380", 4));
        assert!(!is_uuid_version(b"2eb8aa08-aa98-41ea-74aa-73b441d16380", 4));
        assert!(!is_uuid_version(b"2eb8aa08-aa98-41ea-b4aa-73b441d16380", 7));
    }

    #[test]
    fn ulids_do_not_overflow() {
        assert!(is_ulid(b"01ARZ3NDEKTSV4RRFFQ69G5FAV"));
        assert!(!is_ulid(b"81ARZ3NDEKTSV4RRFFQ69G5FAV"));
        assert!(!is_ulid(b"01ARZ3NDEKTSV4RRFFQ69G5FAU"));
    }

    #[test]
    fn every_place_of_a_uuid_is_looked_at() {
        const GOOD: &[u8] = b"2eb8aa08-aa98-11ea-b4aa-73b441d16380";
        for at in 0..GOOD.len() {
            let mut bad = GOOD.to_vec();
            bad[at] = if bad[at] == b'-' { b'0' } else { b'-' };
            assert!(!is_uuid(&bad), "{at}");
            bad[at] = b'g';
            assert!(!is_uuid(&bad), "{at}");
        }
        for version in [0, 9] {
            let mut other = GOOD.to_vec();
            other[14] = b'0' + version;
            assert!(is_uuid(&other) && !is_uuid_version(&other, version));
        }
    }

    #[test]
    fn the_greatest_ulid_begins_with_seven() {
        assert!(is_ulid(b"7ZZZZZZZZZZZZZZZZZZZZZZZZZ") && is_ulid(b"01arz3ndektsv4rrffq69g5fav"));
        assert!(!is_ulid(b"01ARZ3NDEKTSV4RRFFQ69G5FA") && !is_ulid(b"01ARZ3NDEKTSV4RRFFQ69G5FAVV"));
        for letter in *b"ILOU-" {
            let mut bad = *b"01ARZ3NDEKTSV4RRFFQ69G5FAV";
            bad[25] = letter;
            assert!(!is_ulid(&bad), "{letter}");
        }
    }

    #[test]
    fn nano_ids_have_their_alphabet_and_length() {
        assert!(is_nanoid(b"aZ9_-", 5) && is_nanoid(b"", 0));
        for bad in ["aZ9_", "aZ9_-a", "aZ9_.", ".Z9_-"] {
            assert!(!is_nanoid(bad.as_bytes(), 5), "{bad}");
        }
    }
}
