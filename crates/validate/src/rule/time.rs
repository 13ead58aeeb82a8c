//! Dates, times and durations, as RFC 3339 writes them.

/// Whether this is a date that the calendar has: `2024-02-29`.
#[must_use]
pub const fn is_date(text: &[u8]) -> bool {
    text.len() == 10 && date_at(text)
}

const fn date_at(text: &[u8]) -> bool {
    if text.len() < 10 || text[4] != b'-' || text[7] != b'-' {
        return false;
    }
    let (Some(century), Some(year), Some(month), Some(day)) =
        (two(text, 0), two(text, 2), two(text, 5), two(text, 8))
    else {
        return false;
    };
    let leap = year % 4 == 0 && (year != 0 || century % 4 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    day >= 1 && day <= days
}

/// The two digits at `at`, where the text is known to reach beyond them.
const fn two(text: &[u8], at: usize) -> Option<u32> {
    if !text[at].is_ascii_digit() || !text[at + 1].is_ascii_digit() {
        return None;
    }
    Some((text[at] - b'0') as u32 * 10 + (text[at + 1] - b'0') as u32)
}

/// Whether this is a time of day with its offset: `23:20:50.52Z`, `12:00:00+02:00`. Second 60 is
/// accepted where leap seconds fall, at 23:59:60 UTC.
#[must_use]
pub const fn is_time(text: &[u8]) -> bool {
    time_at(text, 0)
}

const fn time_at(text: &[u8], start: usize) -> bool {
    if text.len() < start + 9 || text[start + 2] != b':' || text[start + 5] != b':' {
        return false;
    }
    let (Some(hour), Some(minute), Some(second)) =
        (two(text, start), two(text, start + 3), two(text, start + 6))
    else {
        return false;
    };
    if hour > 23 || minute > 59 || second > 60 {
        return false;
    }
    let mut at = start + 8;
    if text[at] == b'.' {
        at += 1;
        let first = at;
        while at < text.len() && text[at].is_ascii_digit() {
            at += 1;
        }
        if at == first || at == text.len() {
            return false;
        }
    }
    let east = match text[at] {
        b'Z' | b'z' if at + 1 == text.len() => 0,
        sign @ (b'+' | b'-') if at + 6 == text.len() && text[at + 3] == b':' => {
            let (Some(hours), Some(minutes)) = (two(text, at + 1), two(text, at + 4)) else {
                return false;
            };
            if hours > 23 || minutes > 59 {
                return false;
            }
            let offset = hours * 60 + minutes;
            if sign == b'+' { offset } else { 1440 - offset }
        }
        _ => return false,
    };
    // The minute of the day in UTC.
    second < 60 || (hour * 60 + minute + 1440 - east) % 1440 == 1439
}

/// Whether this is a date and a time with its offset: `1985-04-12T23:20:50.52Z`.
#[must_use]
pub const fn is_datetime(text: &[u8]) -> bool {
    text.len() > 10 && date_at(text) && matches!(text[10], b'T' | b't') && time_at(text, 11)
}

/// Whether this is a duration (RFC 3339, appendix A): `P3Y6M4DT12H30M5S`, `P2W`. Whole numbers, in
/// this order and without a gap (a year and a day need the months between them); weeks stand
/// alone.
#[must_use]
pub const fn is_duration(text: &[u8]) -> bool {
    if text.len() < 3 || text[0] != b'P' {
        return false;
    }
    let mut at = 1;
    // The place of the last unit in the order of units; 0 where any may come.
    let mut last = 0;
    let mut in_time = false;
    let mut empty_time = false;
    while at < text.len() {
        if text[at] == b'T' {
            if in_time || last == WEEK {
                return false;
            }
            in_time = true;
            empty_time = true;
            last = 0;
            at += 1;
            continue;
        }
        let first = at;
        while at < text.len() && text[at].is_ascii_digit() {
            at += 1;
        }
        if at == first || at == text.len() {
            return false;
        }
        let unit = match (text[at], in_time) {
            (b'Y', false) => 1,
            (b'M', false) => 2,
            (b'D', false) => 3,
            (b'W', false) => WEEK,
            (b'H', true) => 4,
            (b'M', true) => 5,
            (b'S', true) => 6,
            _ => return false,
        };
        if last == WEEK || (last != 0 && unit != last + 1) {
            return false;
        }
        last = unit;
        empty_time = false;
        at += 1;
    }
    !empty_time
}

const WEEK: u8 = 9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_in_the_calendar() {
        for good in [
            "2024-02-29",
            "2000-02-29",
            "2080-02-29",
            "1999-12-31",
            "0000-01-01",
            "2023-02-28",
            "2024-04-30",
            "2024-06-30",
            "2024-09-30",
            "2024-11-30",
            "2024-01-31",
            "2024-10-31",
        ] {
            assert!(is_date(good.as_bytes()), "{good}");
        }
        for bad in [
            "2023-02-29",
            "1900-02-29",
            "2024-13-01",
            "2024-00-01",
            "2024-01-00",
            "2024-04-31",
            "24-01-01",
            "2024-1-1",
            "2024-01-01 ",
            "2024/01/01",
            "2024/01-01",
            "2024-01/01",
            "2100-02-29",
            "2024-02-30",
            "2024-10-32",
            "/024-01-01",
            "2/24-01-01",
            "20:4-01-01",
            "202:-01-01",
            "2024-0:-01",
            "2024-01-0:",
        ] {
            assert!(!is_date(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn leap_seconds_fall_where_they_fall() {
        for good in [
            "23:59:60Z",
            "01:29:60+01:30",
            "15:59:60-08:00",
            "00:29:60.5+00:30",
            "12:00:00Z",
            "00:00:00z",
            "23:59:59.999-23:59",
            "12:30:59+00:59",
        ] {
            assert!(is_time(good.as_bytes()), "{good}");
        }
        for bad in [
            "22:59:60Z",
            "23:59:61Z",
            "23:59:60+01:00",
            "24:00:00Z",
            "12:00:00",
            "12:00:00.Z",
            "12:00:00+24:00",
            "12:00Z",
            "12:00:00+0100",
            "12.00:00Z",
            "12:00.00Z",
            "12:60:00Z",
            "12:00:00.5",
            "12:00:00Zx",
            "12:00:00+01:000",
            "12:00:00+01:0",
            "12:00:00+01.00",
            "12:00:00+00:60",
            "12:00:00x",
            "23:58:60Z",
        ] {
            assert!(!is_time(bad.as_bytes()), "{bad}");
        }
        assert!(is_datetime(b"1990-12-31T15:59:60-08:00"));
        for bad in [
            "1990-12-31 15:59:50Z",
            "1990-12-31",
            "1990-12-31T",
            "1990-12-3115:59:50Z",
            "1990-13-31T15:59:50Z",
            "15:59:50Z",
        ] {
            assert!(!is_datetime(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn durations_keep_their_order() {
        for good in [
            "P1Y",
            "PT1M",
            "P1M",
            "P2W",
            "P4DT12H30M5S",
            "PT0S",
            "P1YT1S",
            "P1YT1M",
        ] {
            assert!(is_duration(good.as_bytes()), "{good}");
        }
        for bad in [
            "P", "PT", "P1YT", "1Y", "P1", "PT1D", "P1S", "P1D2Y", "P1Y2W", "P2W1D", "P-1D", "P12",
            "X1D", "PTT", "P1TT1H", "P1D2W", "P1.5D", "P1DT1H1H", "P1Y2D", "PT1H1S", "P1WT1H",
        ] {
            assert!(!is_duration(bad.as_bytes()), "{bad}");
        }
    }
}
