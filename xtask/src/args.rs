//! Reading a command line so that every mistake names the input and what was expected.

use std::path::PathBuf;

use lexopt::{Arg, Parser};

use crate::failure::Failure;

/// The next word, or a usage failure in our words.
pub(crate) fn next(words: &mut Parser) -> Result<Option<Arg<'_>>, Failure> {
    words
        .next()
        .map_err(|error| Failure::usage(error.to_string()))
}

/// The value of the option that was read last; `what` says what it should be.
pub(crate) fn text(words: &mut Parser, what: &str) -> Result<String, Failure> {
    let value = words
        .value()
        .map_err(|error| Failure::usage(format!("{error}; expected {what}")))?;
    value
        .into_string()
        .map_err(|value| Failure::usage(format!("{value:?} is not UTF-8; expected {what}")))
}

/// As [`text`], for a path, which need not be UTF-8.
pub(crate) fn path(words: &mut Parser, what: &str) -> Result<PathBuf, Failure> {
    let value = words
        .value()
        .map_err(|error| Failure::usage(format!("{error}; expected {what}")))?;
    Ok(PathBuf::from(value))
}

/// What to say of a word that the task does not know.
pub(crate) fn unexpected(word: &Arg<'_>, expected: &str) -> Failure {
    let word = match word {
        Arg::Short(letter) => format!("option `-{letter}`"),
        Arg::Long(name) => format!("option `--{name}`"),
        Arg::Value(value) => format!("argument `{}`", value.to_string_lossy()),
    };
    Failure::usage(format!("unexpected {word}; expected {expected}"))
}

/// The one optional value of a task that has no options.
pub(crate) fn at_most_one(words: &mut Parser, what: &str) -> Result<Option<String>, Failure> {
    let mut found = None;
    while let Some(word) = next(words)? {
        match word {
            Arg::Value(value) if found.is_none() => {
                found = Some(value.to_string_lossy().into_owned());
            }
            other => return Err(unexpected(&other, &format!("at most {what}"))),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_value_is_named_with_what_was_expected() {
        let mut words = Parser::from_args(["--json"]);
        assert!(matches!(next(&mut words), Ok(Some(Arg::Long("json")))));
        let Err(Failure::Usage(message)) = text(&mut words, "a path") else {
            panic!("a value was found where there is none");
        };
        assert!(
            message.contains("--json") && message.contains("a path"),
            "{message}"
        );
    }

    #[test]
    fn an_unknown_word_is_named() {
        let mut words = Parser::from_args(["one", "two"]);
        let failure = at_most_one(&mut words, "one crate").unwrap_err();
        assert_eq!(
            failure,
            Failure::usage("unexpected argument `two`; expected at most one crate")
        );
    }
}
