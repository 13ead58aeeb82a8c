//! JSON and almost JSON, rule by rule after the grammar of RFC 8259.
//!
//! Each document is a whole body for the route that takes users. None of them is a user, so one that
//! is JSON is refused as invalid (422), and one that is not as malformed (400): whoever confuses the
//! two reads with another grammar than everybody else.

use super::case::{Expect, Kind};
use super::plan::{MALFORMED, Plan};

pub(super) fn documents(plan: &mut Plan) {
    for (text, verdict) in DOCUMENTS {
        let expect = match verdict {
            Json => Expect::Status(&[422]),
            Malformed => MALFORMED,
            Either => Expect::Status(&[400, 422]),
        };
        let note = text.escape_ascii().to_string();
        plan.users(Kind::Corpus, note, text, expect);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Json,
    Malformed,
    /// The grammar takes it, and section 9 lets a reader set limits on it.
    Either,
}

use Verdict::{Either, Json, Malformed};

const DOCUMENTS: &[(&[u8], Verdict)] = &[
    // Section 2: tokens, and white space of four kinds between them.
    (b"", Malformed),
    (b" ", Malformed),
    (b"\t\r\n", Malformed),
    (b" {} ", Json),
    (b"\t{\n}\r\n", Json),
    (b"\x0b{}", Malformed),
    (b"\x0c{}", Malformed),
    (b"\x00{}", Malformed),
    (b"{}\x00", Malformed),
    (b"\xc2\xa0{}", Malformed),
    (b"\xe2\x80\xa8{}", Malformed),
    (b"\xe3\x80\x80{}", Malformed),
    (b"\xef\xbb\xbf{}", Malformed),
    (b"/**/{}", Malformed),
    (b"{}//", Malformed),
    (b"{}#", Malformed),
    (b"{} {}", Malformed),
    (b"{},{}", Malformed),
    (b"[][]", Malformed),
    (b"1 2", Malformed),
    // Section 3: three names, in lower case.
    (b"null", Json),
    (b"true", Json),
    (b"false", Json),
    (b"[null,true,false]", Json),
    (b"nul", Malformed),
    (b"nulll", Malformed),
    (b"Null", Malformed),
    (b"TRUE", Malformed),
    (b"truefalse", Malformed),
    (b"undefined", Malformed),
    (b"[nul]", Malformed),
    // Section 4: objects.
    (b"{\"a\":1}", Json),
    (b"{\"\":0}", Json),
    (b"{\"a\":{\"a\":{}}}", Json),
    (b"{\"a\":1,\"a\":1}", Json),
    (b"{\"\\u0000\":0}", Json),
    (b"{ \"a\" : 1 , \"b\" : 2 }", Json),
    (b"{", Malformed),
    (b"}", Malformed),
    (b"{\"a\"", Malformed),
    (b"{\"a\":", Malformed),
    (b"{\"a\":1", Malformed),
    (b"{\"a\":1,", Malformed),
    (b"{\"a\":1,}", Malformed),
    (b"{,\"a\":1}", Malformed),
    (b"{\"a\":1,,\"b\":2}", Malformed),
    (b"{\"a\" 1}", Malformed),
    (b"{\"a\"::1}", Malformed),
    (b"{\"a\":1:2}", Malformed),
    (b"{\"a\"}", Malformed),
    (b"{\"a\",\"b\"}", Malformed),
    (b"{1:1}", Malformed),
    (b"{null:1}", Malformed),
    (b"{a:1}", Malformed),
    (b"{'a':1}", Malformed),
    (b"{[]:1}", Malformed),
    (b"{\"a\":1]", Malformed),
    (b"{\"a\":}", Malformed),
    (b"{\"a\":1 \"b\":2}", Malformed),
    (b"{\"a\"=1}", Malformed),
    (b"{\"a\":1;}", Malformed),
    // Section 5: arrays.
    (b"[]", Json),
    (b"[ ]", Json),
    (b"[1]", Json),
    (b"[1,\"a\",{},[]]", Json),
    (b"[[[[[[[[]]]]]]]]", Json),
    (b"[", Malformed),
    (b"]", Malformed),
    (b"[1", Malformed),
    (b"[1,", Malformed),
    (b"[1,]", Malformed),
    (b"[,1]", Malformed),
    (b"[,]", Malformed),
    (b"[1,,2]", Malformed),
    (b"[1 2]", Malformed),
    (b"[1:2]", Malformed),
    (b"[1;2]", Malformed),
    (b"[1}", Malformed),
    (b"[\"a\"", Malformed),
    (b"[]]", Malformed),
    (b"[[]", Malformed),
    (b"(1)", Malformed),
    (b"<1>", Malformed),
    // Section 6: numbers.
    (b"0", Json),
    (b"-0", Json),
    (b"[-1]", Json),
    (b"10", Json),
    (b"1.5", Json),
    (b"0.0", Json),
    (b"1e5", Json),
    (b"1E+5", Json),
    (b"1e-5", Json),
    (b"-0.0e-0", Json),
    (b"1e00", Json),
    (b"18446744073709551616", Json),
    (b"123456789012345678901234567890", Json),
    (b"0.1000000000000000055511151231257827", Json),
    (b"1e-400", Either),
    (b"1e400", Either),
    (b"-1e400", Either),
    (b"01", Malformed),
    (b"00", Malformed),
    (b"-01", Malformed),
    (b"+1", Malformed),
    (b"--1", Malformed),
    (b"-", Malformed),
    (b"1.", Malformed),
    (b".5", Malformed),
    (b"-.5", Malformed),
    (b"1.e5", Malformed),
    (b"1e", Malformed),
    (b"1e+", Malformed),
    (b"1e5.0", Malformed),
    (b"1.2.3", Malformed),
    (b"1_000", Malformed),
    (b"1,000", Malformed),
    (b"0x10", Malformed),
    (b"0b1", Malformed),
    (b"1n", Malformed),
    (b"1a", Malformed),
    (b"NaN", Malformed),
    (b"Infinity", Malformed),
    (b"-Infinity", Malformed),
    (b"[- 1]", Malformed),
    (b"[1 .5]", Malformed),
    (b"\xef\xbc\x91", Malformed),
    // Section 7: strings.
    (b"\"\"", Json),
    (b"\"a\"", Json),
    (b"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", Json),
    (b"\"\\u0041\\u00e9\\u20AC\"", Json),
    (b"\"\\ud83d\\ude00\"", Json),
    (b"\"\\u0000\"", Json),
    (b"\"\x7f\"", Json),
    (b"\"\xe2\x80\xa8\"", Json),
    (b"\"\xf0\x9f\x98\x80\"", Json),
    (b"\"\xef\xbf\xbf\"", Json),
    (b"\"", Malformed),
    (b"\"a", Malformed),
    (b"a\"", Malformed),
    (b"'a'", Malformed),
    (b"`a`", Malformed),
    (b"\"\\", Malformed),
    (b"\"\\\"", Malformed),
    (b"\"\\a\"", Malformed),
    (b"\"\\'\"", Malformed),
    (b"\"\\0\"", Malformed),
    (b"\"\\x41\"", Malformed),
    (b"\"\\U0041\"", Malformed),
    (b"\"\\u\"", Malformed),
    (b"\"\\u41\"", Malformed),
    (b"\"\\u004g\"", Malformed),
    (b"\"\\u{41}\"", Malformed),
    (b"\"\\u 041\"", Malformed),
    (b"\"\n\"", Malformed),
    (b"\"\t\"", Malformed),
    (b"\"\x00\"", Malformed),
    (b"\"\x1f\"", Malformed),
    (b"\"\\\n\"", Malformed),
    (b"\"a\"b\"", Malformed),
    (b"\"a\" \"b\"", Malformed),
    // Section 8: UTF-8 and nothing else, and surrogates in pairs.
    (b"\"\\ud800\"", Malformed),
    (b"\"\\udc00\"", Malformed),
    (b"\"\\ud800\\ud800\"", Malformed),
    (b"\"\\udc00\\ud800\"", Malformed),
    (b"\"\\ud800a\"", Malformed),
    (b"\"\x80\"", Malformed),
    (b"\"\xff\"", Malformed),
    (b"\"\xc0\x80\"", Malformed),
    (b"\"\xe2\x82\"", Malformed),
    (b"\"\xed\xa0\x80\"", Malformed),
    (b"\"\xf4\x90\x80\x80\"", Malformed),
    (b"\xff", Malformed),
    (b"\xff\xfe{\x00}\x00", Malformed),
    (b"\x00{\x00}", Malformed),
    (b"{\"\xff\":0}", Malformed),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// `serde_json` is nobody's specification, but it knows one mistake from the other.
    #[test]
    fn the_verdicts_are_those_of_a_reader_that_we_did_not_write() {
        assert!(DOCUMENTS.len() >= 100);
        for (text, verdict) in DOCUMENTS {
            let read = serde_json::from_slice::<serde_json::Value>(text).is_ok();
            if *verdict != Either {
                assert_eq!(read, *verdict == Json, "{}", text.escape_ascii());
            }
        }
    }
}
