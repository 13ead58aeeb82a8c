use seawall_errors::{ApiError, codes};

#[derive(Debug, ApiError)]
enum Silent {
    #[api(code = codes::CONFLICT)]
    Said,
    Unsaid,
    UnsaidToo,
}

#[derive(Debug, ApiError)]
#[api(code = codes::CONFLICT)]
enum Options {
    #[api(colour = "red")]
    Unknown,
    #[api(internal, code = codes::GONE)]
    Twice,
    #[api(transparent)]
    Empty,
    #[api(transparent, message = "x")]
    SaysMore(std::io::Error),
    #[api(transparent)]
    FieldSaysMore(#[api(public = "cause")] std::io::Error),
    #[api(retry_after = 1)]
    WaitsTwice(#[api(retry_after)] std::time::Duration),
    Nameless(#[api(public)] u8),
    Short {
        #[api(public)]
        id: u8,
    },
    Reserved {
        #[api(public)]
        status: u8,
    },
    #[api(message = format!("x"))]
    NotLiteral,
}

#[derive(Debug, ApiError)]
struct SilentStruct;

#[derive(ApiError)]
union Union {
    a: u8,
}

fn main() {}
