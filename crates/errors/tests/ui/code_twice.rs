seawall_errors::error_codes! {
    pub ONE = 409, "out_of_stock", "Out of stock";
    pub TWO = 410, "out_of_stock", "Sold out for good";
}

fn main() {}
