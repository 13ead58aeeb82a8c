//! Where we are in the input: a stack of steps that costs nothing until something is wrong.

use std::fmt::Write as _;

/// One step from the outside in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A declared field, by its name on the wire.
    Field(&'static str),
    /// An element of a list.
    Index(usize),
    /// A value of a map: its key is filled in afterwards, and only where something was wrong.
    Entry,
}

const INLINE: usize = 8;

/// The steps so far. The first eight live inline, so that reading well-formed input of the usual
/// depth does not allocate.
#[derive(Debug)]
pub(crate) struct Stack {
    inline: [Step; INLINE],
    len: usize,
    spill: Vec<Step>,
}

impl Stack {
    pub(crate) const fn new() -> Self {
        Self {
            inline: [Step::Entry; INLINE],
            len: 0,
            spill: Vec::new(),
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, step: Step) {
        if self.len < INLINE {
            self.inline[self.len] = step;
        } else {
            self.spill.push(step);
        }
        self.len += 1;
    }

    #[inline]
    pub(crate) fn pop(&mut self) {
        if self.len > INLINE {
            self.spill.pop();
        }
        self.len = self.len.saturating_sub(1);
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn last(&self) -> Option<Step> {
        let at = self.len.checked_sub(1)?;
        self.inline.get(at).or_else(|| self.spill.last()).copied()
    }

    pub(crate) fn to_path(&self) -> Path {
        let inline = &self.inline[..self.len.min(INLINE)];
        Path(
            inline
                .iter()
                .chain(&self.spill)
                .map(|step| Part::from(*step))
                .collect(),
        )
    }
}

/// One step of a finished path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Field(&'static str),
    Index(usize),
    /// A key that the client chose: escaped and cut.
    Key(Box<str>),
}

impl From<Step> for Part {
    fn from(step: Step) -> Self {
        match step {
            Step::Field(name) => Self::Field(name),
            Step::Index(at) => Self::Index(at),
            Step::Entry => Self::Key(Box::default()),
        }
    }
}

/// The way from the root of the input to the value that is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Path(Vec<Part>);

impl Path {
    pub(crate) const fn root() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn append(&mut self, tail: Self) {
        self.0.extend(tail.0);
    }

    pub(crate) fn push(&mut self, part: Part) {
        self.0.push(part);
    }

    /// Fills in the key of the map entry at `depth`.
    pub(crate) fn name_entry(&mut self, depth: usize, key: &str) {
        if let Some(part) = self.0.get_mut(depth) {
            *part = Part::Key(printable_key(key).into());
        }
    }

    pub(crate) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// `items[3].name`
    pub(crate) fn dotted(&self) -> String {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Index(at) => {
                    let _ = write!(out, "[{at}]");
                }
                Part::Field(_) | Part::Key(_) => {
                    if !out.is_empty() {
                        out.push('.');
                    }
                    out.push_str(part.name());
                }
            }
        }
        out
    }

    /// `/items/3/name`, escaped as RFC 6901 says.
    pub(crate) fn pointer(&self) -> String {
        let mut out = String::new();
        for part in &self.0 {
            out.push('/');
            if let Part::Index(at) = part {
                let _ = write!(out, "{at}");
                continue;
            }
            for c in part.name().chars() {
                match c {
                    '~' => out.push_str("~0"),
                    '/' => out.push_str("~1"),
                    c => out.push(c),
                }
            }
        }
        out
    }
}

impl Part {
    fn name(&self) -> &str {
        match self {
            Self::Field(name) => name,
            Self::Key(key) => key,
            Self::Index(_) => "",
        }
    }
}

/// A key of the client's, fit to be shown: at most 64 characters, and nothing in it that a log or
/// a terminal could take for a command. Everything beyond printable ASCII, letters and digits is
/// written as `\u{..}`.
pub(crate) fn printable_key(key: &str) -> String {
    const MOST: usize = 64;
    let mut out = String::new();
    for (at, c) in key.chars().enumerate() {
        if at == MOST || out.len() > MOST * 2 {
            out.push('…');
            break;
        }
        if c == ' ' || c.is_ascii_graphic() || c.is_alphanumeric() {
            out.push(c);
        } else {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_dotted_and_pointed() {
        let mut stack = Stack::new();
        stack.push(Step::Field("items"));
        stack.push(Step::Index(3));
        stack.push(Step::Entry);
        let mut path = stack.to_path();
        path.name_entry(2, "a/b~c");
        assert_eq!(path.dotted(), "items[3].a/b~c");
        assert_eq!(path.pointer(), "/items/3/a~1b~0c");
    }

    #[test]
    fn deep_stacks_spill_and_come_back() {
        let mut stack = Stack::new();
        for at in 0..20 {
            stack.push(Step::Index(at));
        }
        assert_eq!(stack.last(), Some(Step::Index(19)));
        assert_eq!(stack.to_path().pointer().matches('/').count(), 20);
        for _ in 0..15 {
            stack.pop();
        }
        assert_eq!(stack.last(), Some(Step::Index(4)));
        assert_eq!(stack.len(), 5);
    }

    #[test]
    fn keys_are_escaped_and_cut() {
        assert_eq!(printable_key("a\nb\u{202e}"), "a\\u{a}b\\u{202e}");
        assert_eq!(printable_key(&"x".repeat(100)).chars().count(), 65);
    }
}
