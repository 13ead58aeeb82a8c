//! Declaring many codes at once, with the promise that no id is used twice.

use super::ErrorCode;

/// Declares error codes as constants, together with `ALL`, the list of them.
///
/// Each line is `NAME = status, "id", "title"`, optionally followed by `retry = Variant` (a variant
/// of [`Retry`](crate::Retry)) and by `public` (see [`ErrorCode::public`]). Two lines with the same
/// id do not compile. `ALL` feeds documentation and tests; keep one invocation to a module.
///
/// # Examples
///
/// ```
/// mod shop_codes {
///     seawall_errors::error_codes! {
///         /// Nothing left to sell.
///         pub OUT_OF_STOCK = 409, "out_of_stock", "The item is out of stock";
///         /// The warehouse is counting; come back later.
///         pub STOCKTAKING = 503, "stocktaking", "Stocktaking in progress", retry = AfterDelay, public;
///     }
/// }
///
/// assert_eq!(shop_codes::ALL.len(), 2);
/// assert!(shop_codes::STOCKTAKING.is_public());
/// ```
///
/// The same id twice:
///
/// ```compile_fail
/// seawall_errors::error_codes! {
///     pub ONE = 409, "out_of_stock", "The item is out of stock";
///     pub TWO = 410, "out_of_stock", "The item will not come back";
/// }
/// ```
#[macro_export]
macro_rules! error_codes {
    (@options $code:expr $(,)?) => { $code };
    (@options $code:expr, retry = $retry:ident $($rest:tt)*) => {
        $crate::error_codes!(@options $code.with_retry($crate::Retry::$retry) $($rest)*)
    };
    (@options $code:expr, public $($rest:tt)*) => {
        $crate::error_codes!(@options $code.public() $($rest)*)
    };
    ($(
        $(#[$meta:meta])*
        $vis:vis $name:ident = $status:expr, $id:expr, $title:expr
            $(, $option:ident $(= $value:ident)?)* $(,)?;
    )*) => {
        $(
            $(#[$meta])*
            $vis const $name: $crate::ErrorCode = $crate::error_codes!(
                @options $crate::ErrorCode::new($id, $status, $title)
                    $(, $option $(= $value)?)*
            );
        )*

        /// Every code declared here.
        pub const ALL: &[$crate::ErrorCode] = &[$($name),*];

        const _: () = $crate::assert_unique(&[ALL]);
    };
}

/// Asserts, at compile time, that no id occurs twice in several lists of codes.
///
/// [`error_codes!`](crate::error_codes) does so for its own list. Call it yourself where one service
/// joins the lists of several crates.
///
/// # Examples
///
/// ```
/// # mod shop { seawall_errors::error_codes! { pub OUT_OF_STOCK = 409, "out_of_stock", "Out of stock"; } }
/// const _: () = seawall_errors::assert_unique(&[seawall_errors::codes::ALL, shop::ALL]);
/// ```
///
/// # Panics
///
/// When an id occurs twice; in a `const`, where the call belongs, that is a compile error.
pub const fn assert_unique(lists: &[&[ErrorCode]]) {
    let mut list = 0;
    while list < lists.len() {
        let mut code = 0;
        while code < lists[list].len() {
            // Only what comes later is compared, so each pair is looked at once.
            let mut other_list = list;
            while other_list < lists.len() {
                let mut other = if other_list == list { code + 1 } else { 0 };
                while other < lists[other_list].len() {
                    assert!(
                        !same(lists[list][code].id(), lists[other_list][other].id()),
                        "two error codes have the same id"
                    );
                    other += 1;
                }
                other_list += 1;
            }
            code += 1;
        }
        list += 1;
    }
}

/// `==` on strings is not `const` yet.
const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ErrorCode = ErrorCode::new("a", 400, "A");
    const B: ErrorCode = ErrorCode::new("b", 400, "B");
    const AB: ErrorCode = ErrorCode::new("ab", 400, "AB");

    #[test]
    fn accepts_distinct_ids() {
        assert_unique(&[&[A, B], &[AB]]);
        assert_unique(&[]);
    }

    #[test]
    #[should_panic(expected = "same id")]
    fn refuses_a_repetition_within_a_list() {
        assert_unique(&[&[A, B, A]]);
    }

    #[test]
    #[should_panic(expected = "same id")]
    fn refuses_a_repetition_across_lists() {
        assert_unique(&[&[B, A], &[], &[A]]);
    }
}
