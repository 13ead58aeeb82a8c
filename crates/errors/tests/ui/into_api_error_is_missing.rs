use seawall_errors::IntoApiError;

fn answer(error: impl IntoApiError) {
    let _ = error.into_api_error();
}

fn main() {
    answer(std::io::Error::other("/etc/secret"));
}
