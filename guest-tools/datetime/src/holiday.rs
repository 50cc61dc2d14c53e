//! Holidays and other days with names, by year.
//!
//! Easter by the Gregorian computus (Meeus, Jones and Butcher). Lunar festivals are a table for the years in
//! which they are known here; the date in between is the one most calendars print.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

/// How a day follows from the year.
#[derive(Debug, Clone, Copy)]
enum Rule {
    /// Month and day.
    Fixed(i8, i8),
    /// The n-th weekday of a month; -1 is the last.
    Nth(i8, i8, Weekday),
    /// Days after Easter Sunday.
    Easter(i64),
    /// Days after Easter Sunday of the Orthodox churches.
    Orthodox(i64),
    /// Days after the n-th weekday of a month.
    After(i64, i8, i8, Weekday),
    /// First year, then month and day of each year.
    Table(i16, &'static [(i8, i8)]),
}

use Rule::{After, Easter, Fixed, Nth, Orthodox, Table};
use Weekday::{Monday, Saturday, Sunday, Thursday};

const LUNAR_NEW_YEAR: &[(i8, i8)] = &[
    (1, 25),
    (2, 12),
    (2, 1),
    (1, 22),
    (2, 10),
    (1, 29),
    (2, 17),
    (2, 6),
    (1, 26),
    (2, 13),
    (2, 3),
    (1, 23),
    (2, 11),
    (1, 31),
    (2, 19),
    (2, 8),
];
const DIWALI: &[(i8, i8)] =
    &[(11, 14), (11, 4), (10, 24), (11, 12), (10, 31), (10, 20), (11, 8), (10, 29), (10, 17), (11, 5), (10, 26)];
const RAMADAN: &[(i8, i8)] =
    &[(4, 24), (4, 13), (4, 2), (3, 23), (3, 11), (3, 1), (2, 18), (2, 8), (1, 28), (1, 16), (1, 6)];
const EID: &[(i8, i8)] =
    &[(5, 24), (5, 13), (5, 2), (4, 21), (4, 10), (3, 31), (3, 20), (3, 10), (2, 27), (2, 15), (2, 5)];
const HANUKKAH: &[(i8, i8)] =
    &[(12, 11), (11, 29), (12, 19), (12, 8), (12, 26), (12, 15), (12, 5), (12, 25), (12, 13), (12, 2), (12, 21)];

/// Names (folded, separated by `|`; the first one is shown), and the rule.
const HOLIDAYS: &[(&str, Rule)] = &[
    ("Christmas|christmas day|xmas|xmas day|x mas|chrismas|christmass|cristmas|christams", Fixed(12, 25)),
    ("Christmas Eve|xmas eve", Fixed(12, 24)),
    ("Boxing Day|second christmas day|st stephens day", Fixed(12, 26)),
    ("New Year's Day|new year|new years|new years day|newyear|the new year|new year day", Fixed(1, 1)),
    ("New Year's Eve|new years eve|new year eve|nye|silvester|sylvester|old years night|hogmanay", Fixed(12, 31)),
    ("Epiphany|three kings day|twelfth night", Fixed(1, 6)),
    (
        "Valentine's Day|valentines day|valentines|valentine day|valentine|saint valentines day|st valentines day",
        Fixed(2, 14),
    ),
    ("Groundhog Day", Fixed(2, 2)),
    ("Pi Day", Fixed(3, 14)),
    (
        "St Patrick's Day|st patricks day|saint patricks day|st paddys day|paddys day|st pattys day|st patricks|saint patricks",
        Fixed(3, 17),
    ),
    ("April Fools' Day|april fools|april fools day|april fool|april fool day|all fools day", Fixed(4, 1)),
    ("Earth Day", Fixed(4, 22)),
    ("St George's Day|st georges day", Fixed(4, 23)),
    ("Anzac Day", Fixed(4, 25)),
    ("May Day|labour day|international workers day|workers day|international labour day", Fixed(5, 1)),
    ("Star Wars Day", Fixed(5, 4)),
    ("Cinco de Mayo", Fixed(5, 5)),
    ("Juneteenth", Fixed(6, 19)),
    ("Canada Day", Fixed(7, 1)),
    (
        "Independence Day|fourth of july|4th of july|the fourth of july|the 4th of july|july fourth|us independence day|american independence day",
        Fixed(7, 4),
    ),
    ("Bastille Day|french national day", Fixed(7, 14)),
    ("German Unity Day|tag der deutschen einheit", Fixed(10, 3)),
    ("Halloween|haloween|hallowen|halloweeen|all hallows eve", Fixed(10, 31)),
    ("All Saints' Day|all saints|all saints day|day of the dead", Fixed(11, 1)),
    ("Guy Fawkes Night|bonfire night|guy fawkes|guy fawkes day", Fixed(11, 5)),
    ("Veterans Day|remembrance day|armistice day", Fixed(11, 11)),
    ("St Nicholas Day|saint nicholas day|nikolaus|saint nicholas", Fixed(12, 6)),
    ("St Andrew's Day|st andrews day", Fixed(11, 30)),
    ("Burns Night", Fixed(1, 25)),
    ("Australia Day", Fixed(1, 26)),
    ("Republic Day|indian republic day", Fixed(1, 26)),
    ("International Women's Day|womens day|international womens day", Fixed(3, 8)),
    ("Singles' Day|singles day", Fixed(11, 11)),
    ("Leap Day|leap day", Fixed(2, 29)),
    ("Midsummer|midsummer day|midsummers day|st johns day", Fixed(6, 24)),
    ("Walpurgis Night", Fixed(4, 30)),
    ("Easter|easter sunday|easter day|eastern sunday|eastr", Easter(0)),
    ("Orthodox Easter|orthodox easter sunday|greek easter|russian easter|eastern easter", Orthodox(0)),
    ("Orthodox Good Friday", Orthodox(-2)),
    ("Good Friday", Easter(-2)),
    ("Easter Monday", Easter(1)),
    ("Easter Saturday|holy saturday", Easter(-1)),
    ("Maundy Thursday|holy thursday", Easter(-3)),
    ("Palm Sunday", Easter(-7)),
    ("Ash Wednesday", Easter(-46)),
    ("Shrove Tuesday|pancake day|pancake tuesday|mardi gras|fat tuesday|carnival", Easter(-47)),
    ("Lent", Easter(-46)),
    ("Ascension Day|ascension|ascension thursday", Easter(39)),
    ("Pentecost|whit sunday|whitsun|whitsunday", Easter(49)),
    ("Whit Monday|pentecost monday", Easter(50)),
    ("Corpus Christi", Easter(60)),
    ("Thanksgiving|thanksgiving day|us thanksgiving|turkey day|thanks giving|thanksgivng", Nth(4, 11, Thursday)),
    ("Black Friday", After(1, 4, 11, Thursday)),
    ("Cyber Monday", After(4, 4, 11, Thursday)),
    ("Canadian Thanksgiving|thanksgiving canada|thanksgiving in canada", Nth(2, 10, Monday)),
    ("Labor Day|us labor day", Nth(1, 9, Monday)),
    ("Memorial Day", Nth(-1, 5, Monday)),
    ("Martin Luther King Day|mlk day|martin luther king jr day|mlk", Nth(3, 1, Monday)),
    ("Presidents' Day|presidents day|washingtons birthday|president day", Nth(3, 2, Monday)),
    ("Columbus Day|indigenous peoples day", Nth(2, 10, Monday)),
    ("Mother's Day|mothers day|mother day|us mothers day", Nth(2, 5, Sunday)),
    (
        "UK Mother's Day|mothering sunday|uk mothers day|mothers day uk|british mothers day|mothers day in the uk",
        Easter(-21),
    ),
    ("Father's Day|fathers day|father day", Nth(3, 6, Sunday)),
    ("Super Bowl Sunday|super bowl|superbowl|the super bowl", Nth(2, 2, Sunday)),
    ("US Election Day|election day", After(1, 1, 11, Monday)),
    ("Oktoberfest", After(-14, 1, 10, Sunday)),
    ("Victoria Day", Nth(-1, 5, Monday)),
    ("Early May Bank Holiday|may bank holiday|early may bank holiday", Nth(1, 5, Monday)),
    ("Spring Bank Holiday|spring bank holiday|late may bank holiday", Nth(-1, 5, Monday)),
    ("Summer Bank Holiday|summer bank holiday|august bank holiday", Nth(-1, 8, Monday)),
    ("Giving Tuesday", After(5, 4, 11, Thursday)),
    ("First Sunday of Advent|first advent|advent|advent sunday", After(-21, -1, 12, Sunday)),
    ("Record Store Day", Nth(3, 4, Saturday)),
    ("Tax Day|us tax day", Fixed(4, 15)),
    ("Chinese New Year|lunar new year|spring festival|cny|tet", Table(2020, LUNAR_NEW_YEAR)),
    ("Diwali|deepavali|divali", Table(2020, DIWALI)),
    ("Ramadan|start of ramadan|beginning of ramadan", Table(2020, RAMADAN)),
    ("Eid al-Fitr|eid|eid al fitr|end of ramadan", Table(2020, EID)),
    ("Hanukkah|chanukah|hannukah|hanukka|first day of hanukkah", Table(2020, HANUKKAH)),
    (
        "Spring Equinox|spring|first day of spring|start of spring|beginning of spring|vernal equinox|march equinox",
        Fixed(3, 20),
    ),
    (
        "Summer Solstice|summer|first day of summer|start of summer|beginning of summer|longest day|june solstice|longest day of the year",
        Fixed(6, 21),
    ),
    (
        "Autumn Equinox|autumn|first day of autumn|first day of fall|start of autumn|start of fall|beginning of autumn|beginning of fall|autumnal equinox|september equinox",
        Fixed(9, 22),
    ),
    (
        "Winter Solstice|winter|first day of winter|start of winter|beginning of winter|shortest day|december solstice|shortest day of the year",
        Fixed(12, 21),
    ),
];

/// A named day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holiday {
    /// Its name as written in answers.
    pub(crate) name: &'static str,
    rule: Rule,
}

/// The holiday that `words` start with, and how many of them its name takes; the longest name wins.
pub(crate) fn find(words: &[&str]) -> Option<(Holiday, usize)> {
    let mut best: Option<(Holiday, usize)> = None;
    for (names, rule) in HOLIDAYS {
        let shown = names.split('|').next().unwrap_or_default();
        for (place, name) in names.split('|').enumerate() {
            let folded = if place == 0 { tomas_english::fold::plain(name) } else { name.to_owned() };
            let count = folded.split(' ').count();
            let longer = best.is_none_or(|(_, used)| count > used);
            if longer && folded.split(' ').eq(words.iter().take(count).copied()) {
                best = Some((Holiday { name: shown, rule: *rule }, count));
            }
        }
    }
    best
}

impl Holiday {
    /// The day in `year`, or `None` when the year has none or it is not known.
    pub(crate) fn in_year(self, year: i16) -> Option<Date> {
        match self.rule {
            Fixed(month, day) => Date::new(year, month, day).ok(),
            Nth(nth, month, weekday) => nth_weekday(nth, month, weekday, year),
            Easter(days) => easter(year)?.checked_add(days.days()).ok(),
            Orthodox(days) => orthodox_easter(year)?.checked_add(days.days()).ok(),
            After(days, nth, month, weekday) => {
                // The fourth Sunday of Advent is the last before the 25th.
                if month == 12 {
                    let eve = Date::new(year, 12, 24).ok()?;
                    let back = i64::from(eve.weekday().to_sunday_zero_offset());
                    return eve.checked_sub(back.days()).ok()?.checked_add(days.days()).ok();
                }
                nth_weekday(nth, month, weekday, year)?.checked_add(days.days()).ok()
            }
            Table(first, days) => {
                let (month, day) = days.get(usize::try_from(year.checked_sub(first)?).ok()?)?;
                Date::new(year, *month, *day).ok()
            }
        }
    }

    /// Whether dates other than those of the table are unknown.
    pub(crate) fn is_table(self) -> bool {
        matches!(self.rule, Table(..))
    }
}

/// The `nth` (1 to 5, or -1 for the last) weekday of a month.
pub(crate) fn nth_weekday(nth: i8, month: i8, weekday: Weekday, year: i16) -> Option<Date> {
    Date::new(year, month, 1).ok()?.nth_weekday_of_month(nth, weekday).ok()
}

/// Easter Sunday of a year of the Gregorian calendar.
fn easter(year: i16) -> Option<Date> {
    if year < 1 {
        return None;
    }
    let year_number = i32::from(year);
    let (golden, century, rest) = (year_number % 19, year_number / 100, year_number % 100);
    let correction = (century + 8) / 25;
    let epact = (19 * golden + century - century / 4 - (century - correction + 1) / 3 + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (rest / 4) - epact - rest % 4) % 7;
    let late = (golden + 11 * epact + 22 * weekday) / 451;
    let total = epact + weekday - 7 * late + 114;
    Date::new(year, i8::try_from(total / 31).ok()?, i8::try_from(total % 31 + 1).ok()?).ok()
}

/// Easter Sunday by the Julian computus (Meeus), as a date of the Gregorian calendar; from 1900 to 2099, when
/// the calendars are 13 days apart.
fn orthodox_easter(year: i16) -> Option<Date> {
    if !(1900..=2099).contains(&year) {
        return None;
    }
    let number = i32::from(year);
    let moon = (19 * (number % 19) + 15) % 30;
    let weekday = (2 * (number % 4) + 4 * (number % 7) - moon + 34) % 7;
    let total = moon + weekday + 114;
    let julian = Date::new(year, i8::try_from(total / 31).ok()?, i8::try_from(total % 31 + 1).ok()?).ok()?;
    julian.checked_add(13.days()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn days_with_names() {
        let day = |name: &str, year: i16| {
            let words: Vec<&str> = name.split(' ').collect();
            let (holiday, used) = find(&words).unwrap();
            assert_eq!(used, words.len(), "{name}");
            holiday.in_year(year)
        };
        assert_eq!(day("easter", 2024), Some(date(2024, 3, 31)));
        assert_eq!(day("easter sunday", 2025), Some(date(2025, 4, 20)));
        assert_eq!(day("easter", 2026), Some(date(2026, 4, 5)));
        assert_eq!(day("orthodox easter", 2024), Some(date(2024, 5, 5)));
        assert_eq!(day("orthodox easter", 2025), Some(date(2025, 4, 20)));
        assert_eq!(day("good friday", 2027), Some(date(2027, 3, 26)));
        assert_eq!(day("ash wednesday", 2025), Some(date(2025, 3, 5)));
        assert_eq!(day("thanksgiving", 2025), Some(date(2025, 11, 27)));
        assert_eq!(day("black friday", 2025), Some(date(2025, 11, 28)));
        assert_eq!(day("mothers day", 2025), Some(date(2025, 5, 11)));
        assert_eq!(day("fathers day", 2026), Some(date(2026, 6, 21)));
        assert_eq!(day("memorial day", 2025), Some(date(2025, 5, 26)));
        assert_eq!(day("labor day", 2025), Some(date(2025, 9, 1)));
        assert_eq!(day("first advent", 2025), Some(date(2025, 11, 30)));
        assert_eq!(day("the 4th of july", 2026), Some(date(2026, 7, 4)));
        assert_eq!(day("chinese new year", 2026), Some(date(2026, 2, 17)));
        assert_eq!(day("chinese new year", 1999), None);
        assert_eq!(day("leap day", 2023), None);
        assert_eq!(day("election day", 2028), Some(date(2028, 11, 7)));
        assert_eq!(
            find(&["christmas", "eve", "2025"]).map(|(holiday, used)| (holiday.name, used)),
            Some(("Christmas Eve", 2))
        );
        assert!(find(&["nothing"]).is_none());
    }

    #[test]
    fn every_holiday_has_a_day_this_decade() {
        for (names, _) in HOLIDAYS {
            let first = tomas_english::fold::plain(names.split('|').next().unwrap());
            let words: Vec<&str> = first.split(' ').collect();
            let (holiday, _) = find(&words).unwrap();
            assert!((2024..=2029).any(|year| holiday.in_year(year).is_some()), "{names}");
        }
    }
}
