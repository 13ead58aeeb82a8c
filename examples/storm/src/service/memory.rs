//! The resident memory of a process, as the kernel counts it.

use std::fs;

/// Bytes in memory now; `None` where there is no `/proc`, or no such process.
pub(crate) fn resident(pid: u32) -> Option<u64> {
    line_of(pid, "VmRSS:")
}

/// The part of it that the process has asked for: without its code, of which the more is in memory the
/// more it has done.
pub(crate) fn allocated(pid: u32) -> Option<u64> {
    line_of(pid, "RssAnon:")
}

fn line_of(pid: u32, name: &str) -> Option<u64> {
    parse(
        &fs::read_to_string(format!("/proc/{pid}/status")).ok()?,
        name,
    )
}

fn parse(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_the_kernel_is_understood() {
        let status = "Name:\tstorm\nVmHWM:\t  9000 kB\nVmRSS:\t   7548 kB\nRssAnon:\t 1 kB\n";
        assert_eq!(parse(status, "VmRSS:"), Some(7548 * 1024));
        assert_eq!(parse(status, "RssAnon:"), Some(1024));
        assert_eq!(parse("Name:\tkthreadd\n", "VmRSS:"), None);
    }
}
