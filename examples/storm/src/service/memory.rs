//! The resident memory of a process, as the kernel counts it.

use std::fs;

/// Bytes in memory now; `None` where there is no `/proc`, or no such process.
pub(crate) fn resident(pid: u32) -> Option<u64> {
    parse(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

fn parse(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_the_kernel_is_understood() {
        let status = "Name:\tstorm\nVmHWM:\t  9000 kB\nVmRSS:\t   7548 kB\nRssAnon:\t 1 kB\n";
        assert_eq!(parse(status), Some(7548 * 1024));
        assert_eq!(parse("Name:\tkthreadd\n"), None);
    }
}
