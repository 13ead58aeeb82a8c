//! From text to values.

use base64ct::{Base64, Encoding as _};

use super::{Bare, InnerList, Item, Member, Parameters};

/// The most members, items or parameters in one place.
const MAX_MEMBERS: usize = 64;

pub(in super::super) fn dictionary(text: &[u8]) -> Option<Vec<(String, Member)>> {
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

pub(in super::super) fn list(text: &[u8]) -> Option<Vec<Member>> {
    Parser::whole(text, |parser| {
        let mut members = Vec::new();
        parser.members(|parser| {
            members.push(parser.member()?);
            (members.len() <= MAX_MEMBERS).then_some(())
        })?;
        Some(members)
    })
}

pub(in super::super) fn item(text: &[u8]) -> Option<Item> {
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
        self.take_while(|byte| bytes.contains(&byte));
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
                    bytes.push((digit()? << 4) + digit()?);
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
