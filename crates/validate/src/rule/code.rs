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
        let mut count = 0;
        while parts.next_if(|part| is_alnum(part, least, 8)).is_some() {
            count += 1;
        }
        if count == 0 {
            return false;
        }
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
            digit *= 2;
            if digit > 9 {
                digit -= 9;
            }
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
            b'\\' => at += 2,
            b'\t' | b' '..=b'~' => at += 1,
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
}
