//! The `tracestate` header.

use std::{error::Error, fmt};

use super::parent::trim;

/// Carries what tracing vendors want to find again further down the trace: a short list of keys and
/// values, the latest writer first.
///
/// # Examples
///
/// ```
/// use seawall_errors::trace::TraceState;
///
/// let mut state = TraceState::parse(["rojo=00f067aa0ba902b7", "congo=t61rcWkgMzE"])?;
/// state.insert("congo", "ours")?;
///
/// assert_eq!(state.get("rojo"), Some("00f067aa0ba902b7"));
/// assert_eq!(state.to_string(), "congo=ours,rojo=00f067aa0ba902b7");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Cost
///
/// At most 32 members of at most 513 bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceState {
    members: Vec<Member>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Member {
    key: Box<str>,
    value: Box<str>,
}

/// Says what is wrong with a `tracestate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TraceStateError {
    /// A member is not `key=value`, with a key of 1 to 256 characters of `[a-z0-9_*/@-]` that begins
    /// with a letter or digit, and a value of 1 to 256 printable ASCII characters without `,` and
    /// `=` that does not end with a blank.
    Member,
    /// There are more than 32 members.
    TooMany,
}

impl TraceState {
    /// Reads all lines of the header, in order. Empty members are passed over; of a key that
    /// occurs twice, the first is kept, which is the latest written.
    ///
    /// # Errors
    ///
    /// [`TraceStateError`] when any member is broken or there are too many: treat the header as
    /// absent then.
    pub fn parse<L: AsRef<[u8]>>(
        lines: impl IntoIterator<Item = L>,
    ) -> Result<Self, TraceStateError> {
        let mut state = Self::default();
        let mut count = 0;
        for line in lines {
            for member in line.as_ref().split(|&b| b == b',').map(trim) {
                if member.is_empty() {
                    continue;
                }
                count += 1;
                if count > MAX_MEMBERS {
                    return Err(TraceStateError::TooMany);
                }
                let member = Member::parse(member)?;
                if state.get(&member.key).is_none() {
                    state.members.push(member);
                }
            }
        }
        Ok(state)
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter()
            .find(|(known, _)| *known == key)
            .map(|(_, value)| value)
    }

    /// The keys and values, the latest writer first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.members
            .iter()
            .map(|member| (&*member.key, &*member.value))
    }

    /// Writes a key, which thereby comes first; the last of 32 others gives way.
    ///
    /// # Errors
    ///
    /// [`TraceStateError::Member`] when the key or the value is not allowed.
    pub fn insert(&mut self, key: &str, value: &str) -> Result<(), TraceStateError> {
        let member = Member::new(key.as_bytes(), value.as_bytes())?;
        self.remove(key);
        self.members.truncate(MAX_MEMBERS - 1);
        self.members.insert(0, member);
        Ok(())
    }

    /// Removes a key.
    pub fn remove(&mut self, key: &str) {
        self.members.retain(|member| *member.key != *key);
    }

    /// Whether there is nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

impl Member {
    fn parse(member: &[u8]) -> Result<Self, TraceStateError> {
        let at = member
            .iter()
            .position(|&b| b == b'=')
            .ok_or(TraceStateError::Member)?;
        Self::new(&member[..at], &member[at + 1..])
    }

    fn new(key: &[u8], value: &[u8]) -> Result<Self, TraceStateError> {
        if !is_key(key) || !is_value(value) {
            return Err(TraceStateError::Member);
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into();
        Ok(Self {
            key: text(key),
            value: text(value),
        })
    }
}

/// The header value.
impl fmt::Display for TraceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (key, value)) in self.iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            write!(f, "{comma}{key}={value}")?;
        }
        Ok(())
    }
}

impl fmt::Display for TraceStateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Member => "expected tracestate members of the form key=value",
            Self::TooMany => "expected at most 32 tracestate members",
        })
    }
}

impl Error for TraceStateError {}

fn is_key(key: &[u8]) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    key.len() <= MAX_PART
        && key.first().is_some_and(|&first| plain(first))
        && key.iter().all(|&b| plain(b) || b"_-*/@".contains(&b))
}

fn is_value(value: &[u8]) -> bool {
    value.len() <= MAX_PART
        && value.last().is_some_and(|&last| last != b' ')
        && value
            .iter()
            .all(|&b| (b' '..=b'~').contains(&b) && b != b',' && b != b'=')
}

const MAX_MEMBERS: usize = 32;
const MAX_PART: usize = 256;
