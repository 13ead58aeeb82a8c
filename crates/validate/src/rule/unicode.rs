//! Writing systems, look-alikes and what a reader takes for one character.

use unicode_security::MixedScript;
use unicode_security::confusable_detection::skeleton;
use unicode_security::restriction_level::{RestrictionLevel, RestrictionLevelDetection};
use unicode_segmentation::UnicodeSegmentation;

/// Whether this is in Unicode's normal form C.
#[must_use]
pub fn is_nfc(text: &str) -> bool {
    text.is_ascii() || unicode_normalization::is_nfc(text)
}

/// Whether one writing system is used, or a combination that people really use, such as Japanese
/// (UTS 39, "highly restrictive"). It refuses `раypal` with Cyrillic letters.
#[must_use]
pub fn is_single_script(text: &str) -> bool {
    text.is_ascii()
        || text.is_single_script()
        || text.detect_restriction_level() <= RestrictionLevel::HighlyRestrictive
}

/// Whether this looks like one of the reserved names, without being it: `pаypal` for `paypal`
/// (skeletons of UTS 39).
#[must_use]
pub fn is_confusable(text: &str, reserved: &[&str]) -> bool {
    let fold = |text: &str| -> String { skeleton(text).flat_map(char::to_lowercase).collect() };
    let this = fold(text);
    reserved.iter().any(|name| fold(name) == this)
}

/// How many characters a reader sees (UAX 29): a family emoji is one.
#[must_use]
pub fn graphemes(text: &str) -> usize {
    text.graphemes(true).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borrowed_letters_are_noticed() {
        assert!(is_single_script("paypal") && is_single_script("日本のテキスト"));
        assert!(!is_single_script("p\u{430}ypal"));
        // Marks and spaces belong to every script; Latin stands beside Japanese in daily life.
        for good in ["a, b!", "привет, мир!", "LINE社の", ""] {
            assert!(is_single_script(good), "{good}");
        }
        for bad in ["p\u{430}ypal!", "LINE社\u{430}", "αб"] {
            assert!(!is_single_script(bad), "{bad}");
        }
        assert!(is_confusable("p\u{430}ypal", &["paypal"]));
        assert!(!is_confusable("alice", &["paypal"]));
    }

    #[test]
    fn a_family_is_one_character() {
        assert_eq!(graphemes("👨‍👩‍👧"), 1);
        assert_eq!(graphemes("ae\u{301}👨‍👩‍👧"), 3);
        assert_eq!(graphemes(""), 0);
        assert!(is_nfc("é") && !is_nfc("e\u{301}"));
    }
}
