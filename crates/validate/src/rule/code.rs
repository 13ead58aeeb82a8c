//! Codes of everyday life: telephone numbers, currencies, countries, languages, versions, colours.

/// Whether this is a telephone number in E.164's form: `+`, a digit 1-9, and 6 to 14 digits more.
#[must_use]
pub const fn is_e164(text: &[u8]) -> bool {
    if text.len() < 8 || text.len() > 16 || text[0] != b'+' || text[1] == b'0' {
        return false;
    }
    let mut at = 1;
    while at < text.len() {
        if !text[at].is_ascii_digit() {
            return false;
        }
        at += 1;
    }
    true
}

/// Whether this is a currency in use, by its three upper-case letters (ISO 4217).
#[must_use]
pub fn is_currency(text: &[u8]) -> bool {
    is_listed(text, 3, CURRENCIES)
}

/// Whether this is a country, by its two upper-case letters (ISO 3166-1).
#[must_use]
pub fn is_country(text: &[u8]) -> bool {
    is_listed(text, 2, COUNTRIES)
}

/// Whether the text is one of the codes of this length, which are sorted and joined.
fn is_listed(text: &[u8], length: usize, list: &[u8]) -> bool {
    text.len() == length && list.chunks_exact(length).any(|code| code == text)
}

const CURRENCIES: &[u8] = b"AEDAFNALLAMDANGAOAARSAUDAWGAZNBAMBBDBDTBGNBHDBIFBMDBNDBOBBOVBRLBSDBTNBWP\
BYNBZDCADCDFCHECHFCHWCLFCLPCNYCOPCOUCRCCUPCVECZKDJFDKKDOPDZDEGPERNETBEURFJDFKPGBPGELGHSGIPGMDGNFGTQGYD\
HKDHNLHTGHUFIDRILSINRIQDIRRISKJMDJODJPYKESKGSKHRKMFKPWKRWKWDKYDKZTLAKLBPLKRLRDLSLLYDMADMDLMGAMKDMMKMNT\
MOPMRUMURMVRMWKMXNMXVMYRMZNNADNGNNIONOKNPRNZDOMRPABPENPGKPHPPKRPLNPYGQARRONRSDRUBRWFSARSBDSCRSDGSEKSGD\
SHPSLESOSSRDSSPSTNSVCSYPSZLTHBTJSTMTTNDTOPTRYTTDTWDTZSUAHUGXUSDUSNUYIUYUUYWUZSVEDVESVNDVUVWSTXAFXAGXAU\
XBAXBBXBCXBDXCDXCGXDRXOFXPDXPFXPTXSUXTSXUAXXXYERZARZMWZWG";

const COUNTRIES: &[u8] = b"ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBY\
BZCACCCDCFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGP\
GQGRGSGTGUGWGYHKHMHNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMC\
MDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERO\
RSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVI\
VNVUWFWSYEYTZAZMZW";

/// Whether this is a well-formed language tag (BCP 47): `de`, `zh-Hant-TW`, `sr-Latn-RS-x-mine`.
/// At most 35 bytes, which RFC 5646 tells everybody to be able to store.
#[must_use]
pub fn is_language(text: &[u8]) -> bool {
    if text.len() > 35 {
        return false;
    }
    let mut parts = text.split(|byte| *byte == b'-').peekable();
    let Some(first) = parts.next() else {
        return false;
    };
    if first.eq_ignore_ascii_case(b"x") {
        return parts.peek().is_some() && parts.all(|part| is_alnum(part, 1, 8));
    }
    if !is_alpha(first, 2, 8) {
        return false;
    }
    let mut extended = 0;
    while first.len() <= 3 && extended < 3 && parts.next_if(|part| is_alpha(part, 3, 3)).is_some() {
        extended += 1;
    }
    parts.next_if(|part| is_alpha(part, 4, 4));
    parts.next_if(|part| is_alpha(part, 2, 2) || (part.len() == 3 && is_digits(part)));
    while parts.next_if(|part| is_variant(part)).is_some() {}
    while let Some(singleton) = parts.next_if(|part| is_alnum(part, 1, 1)) {
        let private = singleton.eq_ignore_ascii_case(b"x");
        let least = if private { 1 } else { 2 };
        let more = |part: &&[u8]| is_alnum(part, least, 8);
        if parts.next_if(more).is_none() {
            return false;
        }
        while parts.next_if(more).is_some() {}
    }
    parts.next().is_none()
}

fn is_variant(part: &[u8]) -> bool {
    is_alnum(part, 5, 8) || (is_alnum(part, 4, 4) && part[0].is_ascii_digit())
}

fn is_alpha(part: &[u8], least: usize, most: usize) -> bool {
    (least..=most).contains(&part.len()) && part.iter().all(u8::is_ascii_alphabetic)
}

fn is_alnum(part: &[u8], least: usize, most: usize) -> bool {
    (least..=most).contains(&part.len()) && part.iter().all(u8::is_ascii_alphanumeric)
}

fn is_digits(part: &[u8]) -> bool {
    !part.is_empty() && part.iter().all(u8::is_ascii_digit)
}

/// Whether this is a semantic version (semver.org, 2.0.0): `1.0.0-rc.1+build.5`.
#[must_use]
pub fn is_semver(text: &[u8]) -> bool {
    let (rest, build) = split_first(text, b'+');
    let (core, pre) = split_first(rest, b'-');
    let numbers: Vec<_> = core.split(|byte| *byte == b'.').take(4).collect();
    let number = |part: &&[u8]| is_digits(part) && (part.len() == 1 || part[0] != b'0');
    let word = |part: &[u8]| {
        !part.is_empty()
            && part
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    };
    let pre_word = |part: &[u8]| word(part) && (!is_digits(part) || number(&part));
    numbers.len() == 3
        && numbers.iter().all(number)
        && pre.is_none_or(|pre| pre.split(|byte| *byte == b'.').all(pre_word))
        && build.is_none_or(|build| build.split(|byte| *byte == b'.').all(word))
}

fn split_first(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|byte| *byte == at) {
        Some(place) => (&text[..place], Some(&text[place + 1..])),
        None => (text, None),
    }
}

/// Whether this is a slug: `a-z`, `0-9`, and single hyphens between them.
#[must_use]
pub const fn is_slug(text: &[u8]) -> bool {
    let mut after_hyphen = true;
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'a'..=b'z' | b'0'..=b'9' => after_hyphen = false,
            b'-' if !after_hyphen => after_hyphen = true,
            _ => return false,
        }
        at += 1;
    }
    !after_hyphen
}

/// Whether this is a number of 12 to 19 digits whose last is Luhn's check digit, as payment cards
/// have.
#[must_use]
pub const fn is_luhn(text: &[u8]) -> bool {
    if text.len() < 12 || text.len() > 19 {
        return false;
    }
    let mut sum = 0_u32;
    let mut double = false;
    let mut any = false;
    let mut at = text.len();
    while at > 0 {
        at -= 1;
        if !text[at].is_ascii_digit() {
            return false;
        }
        let mut digit = (text[at] - b'0') as u32;
        any |= digit > 0;
        if double {
            // The sum of the two digits, where there are two.
            digit = if digit < 5 { digit * 2 } else { digit * 2 - 9 };
        }
        sum += digit;
        double = !double;
    }
    any && sum.is_multiple_of(10)
}

/// Whether this is a media type: `text/html; charset=utf-8`. Names have at most 127 bytes.
#[must_use]
pub fn is_mime(text: &[u8]) -> bool {
    let (essence, mut rest) = split_first(text, b';');
    let (kind, Some(subkind)) = split_first(essence.trim_ascii_end(), b'/') else {
        return false;
    };
    if !is_mime_name(kind) || !is_mime_name(subkind) {
        return false;
    }
    while let Some(text) = rest {
        let Some(after) = parameter(text) else {
            return false;
        };
        rest = after;
    }
    true
}

/// Reads one `name=value` and yields what follows its semicolon.
fn parameter(text: &[u8]) -> Option<Option<&[u8]>> {
    let (name, value) = split_first(text, b'=');
    if !is_token(name.trim_ascii_start()) {
        return None;
    }
    let value = value?;
    let Some(quoted) = value.strip_prefix(b"\"") else {
        let (value, rest) = split_first(value, b';');
        return is_token(value.trim_ascii_end()).then_some(rest);
    };
    let mut at = 0;
    loop {
        match quoted.get(at)? {
            b'"' => break,
            // What is escaped is text as well: no line break hides behind a backslash.
            b'\\' if !is_quotable(*quoted.get(at + 1)?) => return None,
            b'\\' => at += 2,
            byte if is_quotable(*byte) => at += 1,
            _ => return None,
        }
    }
    let rest = quoted[at + 1..].trim_ascii_start();
    match rest.split_first() {
        None => Some(None),
        Some((b';', rest)) => Some(Some(rest)),
        Some(_) => None,
    }
}

/// What may stand between quotation marks; the mark itself and the backslash only behind a backslash.
const fn is_quotable(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~')
}

fn is_mime_name(name: &[u8]) -> bool {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(byte);
    name.len() <= 127
        && name.first().is_some_and(u8::is_ascii_alphanumeric)
        && name.iter().all(fits)
}

fn is_token(text: &[u8]) -> bool {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.iter().all(fits)
}

/// Whether this is a colour as in style sheets: `#` and 3, 4, 6 or 8 hexadecimal digits.
#[must_use]
pub const fn is_hex_color(text: &[u8]) -> bool {
    if !matches!(text.len(), 4 | 5 | 7 | 9) || text[0] != b'#' {
        return false;
    }
    let mut at = 1;
    while at < text.len() {
        if !text[at].is_ascii_hexdigit() {
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
    fn the_lists_are_whole_sorted_and_without_repetition() {
        for (list, length) in [(CURRENCIES, 3), (COUNTRIES, 2)] {
            let codes: Vec<_> = list.chunks(length).collect();
            assert!(codes.windows(2).all(|two| two[0] < two[1]));
            assert!(codes.iter().all(|code| code.len() == length));
        }
        assert_eq!(COUNTRIES.len() / 2, 249);
    }

    #[test]
    fn codes_are_upper_case() {
        assert!(is_currency(b"EUR") && is_country(b"DE"));
        assert!(!is_currency(b"eur") && !is_country(b"XX") && !is_currency(b"EU"));
    }

    #[test]
    fn language_tags_are_well_formed() {
        for good in [
            "de",
            "zh-Hant-TW",
            "sl-rozaj-biske",
            "de-CH-1901",
            "x-a",
            "en-a-bb-x-c",
            "es-419",
        ] {
            assert!(is_language(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            "d",
            "de_DE",
            "de-",
            "de-a",
            "x",
            "-de",
            "de-1",
            "de-419-DE",
            "de--DE",
        ] {
            assert!(!is_language(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn versions_have_no_leading_zeros() {
        for good in [
            "0.0.4",
            "1.0.0-alpha.1",
            "1.0.0+01",
            "1.0.0-0a.--",
            "1.0.0-0",
        ] {
            assert!(is_semver(good.as_bytes()), "{good}");
        }
        for bad in [
            "1",
            "1.2",
            "01.1.1",
            "1.1.1-01",
            "1.1.1-",
            "1.1.1+",
            "1.1.1.1",
            "v1.1.1",
            "1.1.1-a..b",
        ] {
            assert!(!is_semver(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn cards_slugs_types_and_numbers() {
        assert!(is_luhn(b"4111111111111111") && !is_luhn(b"4111111111111112"));
        assert!(!is_luhn(b"0000000000000000"));
        assert!(is_slug(b"a-b1") && !is_slug(b"a--b") && !is_slug(b"-a") && !is_slug(b""));
        assert!(is_mime(b"text/html; charset=utf-8") && is_mime(b"a/b;c=\"d;e\" ; f=g"));
        assert!(!is_mime(b"text") && !is_mime(b"text/html;") && !is_mime(b"a/b; c"));
        assert!(is_e164(b"+14155552671") && !is_e164(b"14155552671") && !is_e164(b"+0155552671"));
        assert!(is_hex_color(b"#fFf") && !is_hex_color(b"fff") && !is_hex_color(b"#ff"));
    }

    #[test]
    fn numbers_have_seven_to_fifteen_digits() {
        for good in ["+1234567", "+123456789012345"] {
            assert!(is_e164(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            "+",
            "+123456",
            "+1234567890123456",
            "+1234567a",
            "+a2345678",
            "+12 34567",
            "++1234567",
            "012345678",
        ] {
            assert!(!is_e164(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn the_parts_of_a_tag_have_their_order_and_number() {
        let long = |last: &str| format!("de-x-abcdefgh-abcdefgh-abcdefgh-{last}");
        assert!(is_language(long("abc").as_bytes()) && !is_language(long("abcd").as_bytes()));
        for good in [
            "zh-yue",
            "zh-aaa-bbb-ccc",
            "abcd",
            "abcdefgh",
            "de-1901",
            "de-Latn-1901",
            "de-abcde",
            "x-1-abcdefgh",
            "de-x-1-2",
            "X-a",
            "de-X-a",
            "de-a-bb-cc",
            "de-Latn-DE-abcde-1abc-a-bb-b-cc-x-1",
        ] {
            assert!(is_language(good.as_bytes()), "{good}");
        }
        for bad in [
            "zh-aaa-bbb-ccc-ddd",
            "abcd-aaa",
            "abcdefghi",
            "d1",
            "de-Latn-abcd",
            "de-DE-Latn",
            "de-abcdefghi",
            "de-a-b",
            "de-a-",
            "de-x-abcdefghi",
            "x-",
            "x-abcdefghi",
            "de-a-x-b",
            "de-12",
            "de-Latn-DE-FR",
            "de-12a",
            "de-1a",
            "de-\u{e4}b",
            "a-b",
        ] {
            assert!(!is_language(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn the_words_of_a_version_are_letters_digits_and_hyphens() {
        for good in [
            "10.20.30",
            "1.0.0-a-b.c1",
            "1.0.0-a+b-c.01",
            "1.0.0+a",
            "1.0.0--",
        ] {
            assert!(is_semver(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            "..",
            "1..1",
            "a.1.1",
            "1.1.1a",
            "1.1.1-a_b",
            "1.1.1+a_b",
            "1.1.1+a..b",
            "1.1.1+a+b",
            "1.1.1-00",
            "1.1.1-a.",
            "1.1.1-+a",
            "1.1.01",
            "+1.1.1",
            "-1.1.1",
        ] {
            assert!(!is_semver(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn slugs_begin_and_end_with_a_letter_or_digit() {
        for good in ["a", "0", "z9-a0"] {
            assert!(is_slug(good.as_bytes()), "{good}");
        }
        for bad in ["a-", "-", "a_b", "A", "a b", "é", "a-b-"] {
            assert!(!is_slug(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn cards_have_twelve_to_nineteen_digits() {
        // Each with the check digit that makes the sum a multiple of ten.
        for good in [
            "999999999991",
            "4222222222222",
            "378282246310005",
            "6011000990139424",
            "5500000000000004",
            "4000000000000000006",
        ] {
            assert!(is_luhn(good.as_bytes()), "{good}");
            for other in 0..10 {
                let last = good.len() - 1;
                let bad = format!("{}{other}", &good[..last]);
                assert_eq!(is_luhn(bad.as_bytes()), bad == good, "{bad}");
            }
        }
        for bad in [
            "",
            "99999999993",
            "79927398713",
            "40000000000000000002",
            "4111 1111 1111 1111",
            "a111111111111111",
        ] {
            assert!(!is_luhn(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn media_types_have_names_tokens_and_quotes() {
        let name = "a".repeat(127);
        assert!(is_mime(format!("{name}/{name}").as_bytes()));
        assert!(
            !is_mime(format!("a{name}/b").as_bytes()) && !is_mime(format!("b/a{name}").as_bytes())
        );
        for good in [
            "a/b",
            "A1/b!#$&-^_.+",
            "a/b ;c=d",
            "a/b;c=d ; e=f",
            r#"a/b;c="""#,
            r#"a/b;c="d\"e""#,
            r#"a/b;c="d\\""#,
            "a/b;c=\"\t ~\"",
            "a/b;c=!#$%&'*+-.^_`|~",
        ] {
            assert!(is_mime(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            "/",
            "a/",
            "/b",
            "a b/c",
            "a/b c",
            "a/b/c",
            "+a/b",
            "a/+b",
            "a/b;=c",
            "a/b;c=",
            "a/b;c",
            "a/b;c d=e",
            "a/b;c=d e",
            r#"a/b;c="d"#,
            r#"a/b;c="d\"#,
            r#"a/b;c="d\""#,
            r#"a/b;c="d"e"#,
            r#"a/b;c="d";"#,
            "a/b;c=\"\u{7f}\"",
            "a/b;c=\"\n\"",
            // A line break after a backslash was once let through, into whatever header it went.
            "a/b;c=\"\\\n\"",
            "a/b;c=\"\\\u{7f}\"",
            "a/b;c=\"\\\u{e9}\"",
            "a/b;c=(d)",
            "a/b;c=d;",
        ] {
            assert!(!is_mime(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn colours_have_three_four_six_or_eight_digits() {
        for good in ["#000", "#fFf0", "#a1b2c3", "#a1b2c3d4"] {
            assert!(is_hex_color(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            "#",
            "#00",
            "#00000",
            "#0000000",
            "#000000000",
            "0000",
            "#g00",
            "#00g",
            "##00",
        ] {
            assert!(!is_hex_color(bad.as_bytes()), "{bad}");
        }
    }
}
