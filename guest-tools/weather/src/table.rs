//! The climate normals.

const TABLES: [&str; 4] = [
    include_str!("../data/europe.txt"),
    include_str!("../data/asia.txt"),
    include_str!("../data/africa_oceania.txt"),
    include_str!("../data/americas.txt"),
];

/// One city. Numbers run from January to December.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct City {
    /// Its English name.
    pub(crate) name: &'static str,
    /// The country in English.
    pub(crate) country: &'static str,
    /// States, islands and other regions, separated by commas.
    pub(crate) regions: &'static str,
    /// Degrees north.
    pub(crate) latitude: i16,
    /// Other names, separated by commas.
    pub(crate) others: &'static str,
    /// Mean daily high in °C.
    pub(crate) high: [i16; 12],
    /// Mean daily low in °C.
    pub(crate) low: [i16; 12],
    /// Precipitation in mm.
    pub(crate) rain: [i16; 12],
}

/// All cities; of cities with one name the better known first.
pub(crate) fn cities() -> impl Iterator<Item = City> {
    TABLES.iter().flat_map(|table| table.lines()).filter(|line| !line.starts_with('#')).filter_map(read)
}

fn read(line: &'static str) -> Option<City> {
    let mut columns = line.split('|');
    Some(City {
        name: columns.next()?,
        country: columns.next()?,
        regions: columns.next()?,
        latitude: columns.next()?.parse().ok()?,
        others: columns.next()?,
        high: twelve(columns.next()?)?,
        low: twelve(columns.next()?)?,
        rain: twelve(columns.next()?)?,
    })
}

fn twelve(column: &str) -> Option<[i16; 12]> {
    let mut months = [0; 12];
    let mut numbers = column.split(' ');
    for month in &mut months {
        *month = numbers.next()?.parse().ok()?;
    }
    numbers.next().is_none().then_some(months)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_city_and_plausible() {
        let lines = TABLES.iter().flat_map(|table| table.lines()).filter(|line| !line.starts_with('#')).count();
        let cities: Vec<City> = cities().collect();
        assert_eq!(cities.len(), lines);
        assert!(cities.len() >= 520);
        for city in cities {
            assert!((-60..=80).contains(&city.latitude), "{}", city.name);
            for month in 0..12 {
                let (high, low, rain) = (city.high[month], city.low[month], city.rain[month]);
                assert!(high > low && high - low < 23 && (-45..50).contains(&high), "{} {month}", city.name);
                assert!((0..=1000).contains(&rain), "{} {month}", city.name);
            }
        }
    }
}
