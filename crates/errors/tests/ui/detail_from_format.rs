use seawall_errors::Detail;

fn main() {
    let _ = Detail::new("too_long", format!("at most {}", 7));
}
