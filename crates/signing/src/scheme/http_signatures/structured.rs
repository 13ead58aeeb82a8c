//! Structured Fields (RFC 9651): parsing, strictly, and writing in the one canonical form.
//!
//! Stricter than the RFC in two points, since both would let a sender and a verifier read different
//! things: a key that comes twice is an error, and so is Base64 that is not canonical.

use base64ct::{Base64, Encoding as _};

/// Is a value without parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Bare {
    Integer(i64),
    /// In thousandths.
    Decimal(i64),
    String(String),
    Token(String),
    Bytes(Vec<u8>),
    Boolean(bool),
    Date(i64),
    Display(String),
}

pub(super) type Parameters = Vec<(String, Bare)>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) bare: Bare,
    pub(super) parameters: Parameters,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InnerList {
    pub(super) items: Vec<Item>,
    pub(super) parameters: Parameters,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Member {
    Item(Item),
    Inner(InnerList),
}

/// The most members, items or parameters in one place.
const MAX_MEMBERS: usize = 64;

pub(super) fn dictionary(text: &[u8]) -> Option<Vec<(String, Member)>> {
    Parser::whole(text, |parser| {
        let mut members: Vec<(String, Member)> = Vec::new();
        parser.members(|parser| {
            let key = parser.key()?;
            let member = if parser.eat(b'=') {
                parser.member()?
            } else {
                let parameters = parser.parameters()?;
                Member::Item(Item {
                    bare: Bare::Boolean(true),
                    parameters,
                })
            };
            let new = members.len() < MAX_MEMBERS && members.iter().all(|(known, _)| *known != key);
            members.push((key, member));
            new.then_some(())
        })?;
        Some(members)
    })
}

pub(super) fn list(text: &[u8]) -> Option<Vec<Member>> {
    Parser::whole(text, |parser| {
        let mut members = Vec::new();
        parser.members(|parser| {
            members.push(parser.member()?);
            (members.len() <= MAX_MEMBERS).then_some(())
        })?;
        Some(members)
    })
}

pub(super) fn item(text: &[u8]) -> Option<Item> {
    Parser::whole(text, Parser::item)
}

struct Parser<'a> {
    rest: &'a [u8],
}

impl<'a> Parser<'a> {
    fn whole<T>(text: &'a [u8], parse: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let mut parser = Self { rest: text };
        parser.skip(b" ");
        let value = parse(&mut parser)?;
        parser.skip(b" ");
        parser.rest.is_empty().then_some(value)
    }

    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        if there {
            self.next();
        }
        there
    }

    fn skip(&mut self, bytes: &[u8]) {
        while self.peek().is_some_and(|byte| bytes.contains(&byte)) {
            self.next();
        }
    }

    fn take_while(&mut self, keep: impl Fn(u8) -> bool) -> &'a [u8] {
        let len = self
            .rest
            .iter()
            .position(|byte| !keep(*byte))
            .unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(len);
        self.rest = rest;
        taken
    }

    /// Calls `one` for each member between commas. The empty text has none.
    fn members(&mut self, mut one: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        while !self.rest.is_empty() {
            one(self)?;
            self.skip(b" \t");
            if self.rest.is_empty() {
                return Some(());
            }
            if !self.eat(b',') {
                return None;
            }
            self.skip(b" \t");
            if self.rest.is_empty() {
                return None;
            }
        }
        Some(())
    }

    fn member(&mut self) -> Option<Member> {
        if !self.eat(b'(') {
            return self.item().map(Member::Item);
        }
        let mut items = Vec::new();
        loop {
            self.skip(b" ");
            if self.eat(b')') {
                let parameters = self.parameters()?;
                return Some(Member::Inner(InnerList { items, parameters }));
            }
            items.push(self.item()?);
            if !matches!(self.peek(), Some(b' ' | b')')) || items.len() > MAX_MEMBERS {
                return None;
            }
        }
    }

    fn item(&mut self) -> Option<Item> {
        let bare = self.bare()?;
        Some(Item {
            bare,
            parameters: self.parameters()?,
        })
    }

    fn parameters(&mut self) -> Option<Parameters> {
        let mut parameters: Parameters = Vec::new();
        while self.eat(b';') {
            self.skip(b" ");
            let key = self.key()?;
            let bare = if self.eat(b'=') {
                self.bare()?
            } else {
                Bare::Boolean(true)
            };
            if parameters.len() >= MAX_MEMBERS || parameters.iter().any(|(known, _)| *known == key)
            {
                return None;
            }
            parameters.push((key, bare));
        }
        Some(parameters)
    }

    fn key(&mut self) -> Option<String> {
        if !self
            .peek()
            .is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'*')
        {
            return None;
        }
        let key = self.take_while(|byte| {
            byte.is_ascii_lowercase()
                || byte.is_ascii_digit()
                || matches!(byte, b'_' | b'-' | b'.' | b'*')
        });
        ascii(key)
    }

    fn bare(&mut self) -> Option<Bare> {
        match self.peek()? {
            b'-' | b'0'..=b'9' => self.number(),
            b'"' => self.string().map(Bare::String),
            b'*' | b'A'..=b'Z' | b'a'..=b'z' => self.token(),
            b':' => self.bytes(),
            b'?' => self.boolean(),
            b'@' => self.date(),
            b'%' => self.display(),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<Bare> {
        let minus = self.eat(b'-');
        let whole = self.take_while(|byte| byte.is_ascii_digit());
        let fraction = if self.eat(b'.') {
            Some(self.take_while(|byte| byte.is_ascii_digit()))
        } else {
            None
        };
        let signed = |digits: i64| if minus { -digits } else { digits };
        match fraction {
            None if (1..=15).contains(&whole.len()) => Some(Bare::Integer(signed(digits(whole)?))),
            Some(part) if (1..=12).contains(&whole.len()) && (1..=3).contains(&part.len()) => {
                let scale = [100, 10, 1].get(part.len() - 1)?;
                Some(Bare::Decimal(signed(
                    digits(whole)? * 1000 + digits(part)? * scale,
                )))
            }
            _ => None,
        }
    }

    fn string(&mut self) -> Option<String> {
        self.next();
        let mut text = String::new();
        loop {
            match self.next()? {
                b'"' => return Some(text),
                b'\\' => match self.next()? {
                    escaped @ (b'"' | b'\\') => text.push(char::from(escaped)),
                    _ => return None,
                },
                byte @ 0x20..=0x7e => text.push(char::from(byte)),
                _ => return None,
            }
        }
    }

    fn token(&mut self) -> Option<Bare> {
        let token = self.take_while(|byte| {
            byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(&byte)
        });
        ascii(token).map(Bare::Token)
    }

    fn bytes(&mut self) -> Option<Bare> {
        self.next();
        let text = self.take_while(|byte| byte != b':');
        let text = std::str::from_utf8(text).ok()?;
        let bytes = Base64::decode_vec(text).ok()?;
        self.eat(b':').then_some(Bare::Bytes(bytes))
    }

    fn boolean(&mut self) -> Option<Bare> {
        self.next();
        match self.next()? {
            b'0' => Some(Bare::Boolean(false)),
            b'1' => Some(Bare::Boolean(true)),
            _ => None,
        }
    }

    fn date(&mut self) -> Option<Bare> {
        self.next();
        match self.number()? {
            Bare::Integer(seconds) => Some(Bare::Date(seconds)),
            _ => None,
        }
    }

    fn display(&mut self) -> Option<Bare> {
        self.next();
        if !self.eat(b'"') {
            return None;
        }
        let mut bytes = Vec::new();
        loop {
            match self.next()? {
                b'"' => return String::from_utf8(bytes).ok().map(Bare::Display),
                b'%' => {
                    let mut digit = || match self.next()? {
                        byte @ b'0'..=b'9' => Some(byte - b'0'),
                        byte @ b'a'..=b'f' => Some(byte - b'a' + 10),
                        _ => None,
                    };
                    bytes.push(digit()? << 4 | digit()?);
                }
                byte @ 0x20..=0x7e => bytes.push(byte),
                _ => return None,
            }
        }
    }
}

fn ascii(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

fn digits(bytes: &[u8]) -> Option<i64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

pub(super) fn write_bare(bare: &Bare, out: &mut String) {
    match bare {
        Bare::Integer(number) => out.push_str(&number.to_string()),
        Bare::Date(number) => out.push_str(&format!("@{number}")),
        Bare::Decimal(thousandths) => {
            let (whole, part) = (
                thousandths.unsigned_abs() / 1000,
                thousandths.unsigned_abs() % 1000,
            );
            let part = format!("{part:03}");
            let part = match part.trim_end_matches('0') {
                "" => "0",
                part => part,
            };
            let minus = if *thousandths < 0 { "-" } else { "" };
            out.push_str(&format!("{minus}{whole}.{part}"));
        }
        Bare::String(text) => write_string(text, out),
        Bare::Token(token) => out.push_str(token),
        Bare::Bytes(bytes) => {
            out.push(':');
            crate::encoding::push_base64(bytes, out);
            out.push(':');
        }
        Bare::Boolean(yes) => out.push_str(if *yes { "?1" } else { "?0" }),
        Bare::Display(text) => {
            out.push_str("%\"");
            for byte in text.bytes() {
                match byte {
                    b'%' | b'"' | 0..=0x1f | 0x7f..=0xff => out.push_str(&format!("%{byte:02x}")),
                    byte => out.push(char::from(byte)),
                }
            }
            out.push('"');
        }
    }
}

pub(super) fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        if matches!(letter, '"' | '\\') {
            out.push('\\');
        }
        out.push(letter);
    }
    out.push('"');
}

pub(super) fn write_parameters(parameters: &Parameters, out: &mut String) {
    for (key, bare) in parameters {
        out.push(';');
        out.push_str(key);
        if *bare != Bare::Boolean(true) {
            out.push('=');
            write_bare(bare, out);
        }
    }
}

pub(super) fn write_item(item: &Item, out: &mut String) {
    write_bare(&item.bare, out);
    write_parameters(&item.parameters, out);
}

pub(super) fn write_inner(inner: &InnerList, out: &mut String) {
    out.push('(');
    for (at, item) in inner.items.iter().enumerate() {
        if at > 0 {
            out.push(' ');
        }
        write_item(item, out);
    }
    out.push(')');
    write_parameters(&inner.parameters, out);
}

pub(super) fn write_member(member: &Member, out: &mut String) {
    match member {
        Member::Item(item) => write_item(item, out),
        Member::Inner(inner) => write_inner(inner, out),
    }
}

/// Writes a field again in canonical form, as whichever of the three kinds it is.
///
/// The kind of a field is not in its text. Where a text is both a list and a dictionary the two
/// canonical forms agree, but for keys that come twice, which are refused as a dictionary.
pub(super) fn canonical(text: &[u8]) -> Option<String> {
    let mut out = String::new();
    if let Some(members) = list(text) {
        for (at, member) in members.iter().enumerate() {
            if at > 0 {
                out.push_str(", ");
            }
            write_member(member, &mut out);
        }
        return Some(out);
    }
    for (at, (key, member)) in dictionary(text)?.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        out.push_str(key);
        match member {
            Member::Item(Item {
                bare: Bare::Boolean(true),
                parameters,
            }) => {
                write_parameters(parameters, &mut out);
            }
            member => {
                out.push('=');
                write_member(member, &mut out);
            }
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(canonical(text.as_bytes()).as_deref(), expected, "{text}");
    }

    #[test]
    fn fields_have_one_canonical_form() {
        check(
            " a=1,    b=2;x=1;y=2,   c=(a   b   c)",
            Some("a=1, b=2;x=1;y=2, c=(a b c)"),
        );
        check("a;q=0.50, b", Some("a;q=0.5, b"));
        check("-1.100", Some("-1.1"));
        check("-0.5", Some("-0.5"));
        check("3.0", Some("3.0"));
        check("\"a\\\"b\\\\\"", Some("\"a\\\"b\\\\\""));
        check("a=?0, b=?1, c", Some("a=?0, b, c"));
        check("@1659578233", Some("@1659578233"));
        check("%\"f%c3%bc%c3%bc\"", Some("%\"f%c3%bc%c3%bc\""));
        check(":aGVsbG8=:", Some(":aGVsbG8=:"));
        check("", Some(""));
    }

    #[test]
    fn other_texts_are_none() {
        for text in [
            "a=1,",
            ",a",
            "a==1",
            "(a",
            "(a b))",
            "\"a",
            "\"\\n\"",
            ":aGVsbG9=:",
            ":aGVsbG8:",
            "1234567890123456",
            "1.2345",
            "1.",
            ".5",
            "--1",
            "?2",
            "a=1;A=1",
            "a=1, a=2",
            "a;b;b",
            "\u{e9}",
            "a b",
            "%\"%C3%BC\"",
            "%\"%ff\"",
            "@1.5",
        ] {
            check(text, None);
        }
    }

    proptest! {
        #[test]
        fn the_canonical_form_is_its_own(text in "[a-c0-9=;,() \"\\\\:?@%.*-]{0,24}") {
            if let Some(once) = canonical(text.as_bytes()) {
                prop_assert_eq!(canonical(once.as_bytes()), Some(once.clone()), "{}", text);
            }
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = (canonical(&bytes), dictionary(&bytes), item(&bytes));
        }
    }
}
