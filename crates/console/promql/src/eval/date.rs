//! Parts of a date in UTC, of seconds since the Unix epoch. No time zones, no leap seconds.

use crate::function::Id;

const DAY: i64 = 86_400;

/// The function of a time by that name, if it is one.
pub(super) fn function(id: Id) -> Option<fn(f64) -> f64> {
    Some(match id {
        Id::Minute => |time| (whole(time).rem_euclid(3600) / 60) as f64,
        Id::Hour => |time| (whole(time).rem_euclid(DAY) / 3600) as f64,
        Id::DayOfWeek => |time| (whole(time).div_euclid(DAY) + 4).rem_euclid(7) as f64,
        Id::DayOfMonth => |time| date(time).2 as f64,
        Id::Month => |time| date(time).1 as f64,
        Id::Year => |time| date(time).0 as f64,
        Id::DaysInMonth => |time| {
            let (year, month, _) = date(time);
            let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            (days(next_year, next_month, 1) - days(year, month, 1)) as f64
        },
        Id::DayOfYear => |time| (whole(time).div_euclid(DAY) - days(date(time).0, 1, 1) + 1) as f64,
        _ => return None,
    })
}

/// Whole seconds. What is no number or far beyond any calendar is brought near enough to compute with.
fn whole(time: f64) -> i64 {
    (time as i64).clamp(-(1 << 55), 1 << 55)
}

/// Year, month and day of a time, in the Gregorian calendar.
fn date(time: f64) -> (i64, i64, i64) {
    // Years are taken to begin in March, so that the day of the leap year comes last; 400 of them repeat.
    let day = whole(time).div_euclid(DAY) + 719_468;
    let (era, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// Days since the Unix epoch.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let month = if month > 2 { month - 3 } else { month + 9 };
    let day = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + day - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_has_its_date() {
        for day in (-800_000..800_000).step_by(13) {
            let (year, month, of_month) = date((day * DAY) as f64);
            assert_eq!(days(year, month, of_month), day, "{year}-{month}-{of_month}");
            assert!((1..=12).contains(&month) && (1..=31).contains(&of_month));
        }
        assert_eq!(date(1_456_704_000.0), (2016, 2, 29));
        assert_eq!(date(-1.0), (1969, 12, 31));
    }

    #[test]
    fn no_number_is_too_large() {
        for id in
            [Id::Minute, Id::Hour, Id::DayOfWeek, Id::DayOfMonth, Id::Month, Id::Year, Id::DaysInMonth, Id::DayOfYear]
        {
            for time in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1e300, -1e300, 9.3e18] {
                assert!(function(id).unwrap()(time).is_finite());
            }
        }
    }
}
