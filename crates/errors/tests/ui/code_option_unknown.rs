seawall_errors::error_codes! {
    pub ONE = 503, "closed", "Closed", secret;
}

fn main() {}
