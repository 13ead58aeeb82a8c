//! Every program ends by itself and says what it is known for.

use std::process::Command;

macro_rules! says {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            let output = Command::new(env!(concat!("CARGO_BIN_EXE_", stringify!($name))))
                .output()
                .expect("the program was built");
            let said = String::from_utf8(output.stdout).expect("text");
            let known = include_str!(concat!("said/", stringify!($name), ".txt"));
            assert_eq!(said, known, "{}", String::from_utf8_lossy(&output.stderr));
            assert!(output.status.success());
        }
    )*};
}

says!(breaker degrade errors health idempotency ratelimit signing timeout validate);
