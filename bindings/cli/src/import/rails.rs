//! Time zones by the names that Rails, and so GitLab, gives them: IANA's, cities without their region, and some of its own.

use super::calendar;

/// Names that are neither IANA's nor the city of one (`ActiveSupport::TimeZone::MAPPING`), sorted. `Astana` is not
/// among them: versions of Rails disagree about it.
const OWN: [(&str, &str); 47] = [
    ("Abu Dhabi", "Asia/Muscat"),
    ("Alaska", "America/Juneau"),
    ("American Samoa", "Pacific/Pago_Pago"),
    ("Arizona", "America/Phoenix"),
    ("Atlantic Time (Canada)", "America/Halifax"),
    ("Beijing", "Asia/Shanghai"),
    ("Bern", "Europe/Zurich"),
    ("Brasilia", "America/Sao_Paulo"),
    ("Canberra", "Australia/Melbourne"),
    ("Cape Verde Is.", "Atlantic/Cape_Verde"),
    ("Central America", "America/Guatemala"),
    ("Central Time (US & Canada)", "America/Chicago"),
    ("Chatham Is.", "Pacific/Chatham"),
    ("Chennai", "Asia/Kolkata"),
    ("Eastern Time (US & Canada)", "America/New_York"),
    ("Edinburgh", "Europe/London"),
    ("Ekaterinburg", "Asia/Yekaterinburg"),
    ("Georgetown", "America/Guyana"),
    ("Greenland", "America/Godthab"),
    ("Guadalajara", "America/Mexico_City"),
    ("Hanoi", "Asia/Bangkok"),
    ("Hawaii", "Pacific/Honolulu"),
    ("Indiana (East)", "America/Indiana/Indianapolis"),
    ("International Date Line West", "Etc/GMT+12"),
    ("Islamabad", "Asia/Karachi"),
    ("Marshall Is.", "Pacific/Majuro"),
    ("Mid-Atlantic", "Atlantic/South_Georgia"),
    ("Midway Island", "Pacific/Midway"),
    ("Mountain Time (US & Canada)", "America/Denver"),
    ("Mumbai", "Asia/Kolkata"),
    ("New Caledonia", "Pacific/Noumea"),
    ("New Delhi", "Asia/Kolkata"),
    ("Newfoundland", "America/St_Johns"),
    ("Nuku'alofa", "Pacific/Tongatapu"),
    ("Osaka", "Asia/Tokyo"),
    ("Pacific Time (US & Canada)", "America/Los_Angeles"),
    ("Pretoria", "Africa/Johannesburg"),
    ("Quito", "America/Lima"),
    ("Samoa", "Pacific/Apia"),
    ("Sapporo", "Asia/Tokyo"),
    ("Saskatchewan", "America/Regina"),
    ("Solomon Is.", "Pacific/Guadalcanal"),
    ("Sri Jayawardenepura", "Asia/Colombo"),
    ("St. Petersburg", "Europe/Moscow"),
    ("Tokelau Is.", "Pacific/Fakaofo"),
    ("Wellington", "Pacific/Auckland"),
    ("West Central Africa", "Africa/Algiers"),
];

/// The zone that Rails means, by its IANA name.
pub(super) fn zone(name: &str) -> Option<String> {
    if let Some((_, iana)) = OWN.iter().find(|(own, _)| *own == name) {
        return calendar::zone(iana);
    }
    // `Berlin` is `Europe/Berlin`, `Hong Kong` is `Asia/Hong_Kong`, and `Buenos Aires` is in America.
    let city = name.replace(' ', "_");
    let regions = ["Europe", "America", "Asia", "Africa", "Australia", "Pacific", "Atlantic"];
    let of_a_region = || regions.iter().find_map(|region| calendar::zone(&format!("{region}/{city}")));
    calendar::zone(name).or_else(of_a_region)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use davy::calendar::Zone;

    use super::*;

    /// Whether two names mean the same clock, as far as two years tell.
    fn is_same(one: &str, other: &str) -> bool {
        let (one, other) = (Zone::new(one).unwrap(), Zone::new(other).unwrap());
        let begin: davy::Instant = "2026-01-01T00:00:00Z".parse().unwrap();
        (0..2 * 365 * 4).all(|quarters| {
            let at = begin.plus(davy::Duration::from_minutes(quarters * 360));
            one.local(at) == other.local(at)
        })
    }

    #[test]
    fn every_name_of_rails_is_the_zone_that_rails_means() {
        // Those that follow from the city.
        let cities = [
            ("Tijuana", "America/Tijuana"),
            ("Chihuahua", "America/Chihuahua"),
            ("Mazatlan", "America/Mazatlan"),
            ("Mexico City", "America/Mexico_City"),
            ("Monterrey", "America/Monterrey"),
            ("Bogota", "America/Bogota"),
            ("Lima", "America/Lima"),
            ("Caracas", "America/Caracas"),
            ("La Paz", "America/La_Paz"),
            ("Santiago", "America/Santiago"),
            ("Buenos Aires", "America/Argentina/Buenos_Aires"),
            ("Montevideo", "America/Montevideo"),
            ("Puerto Rico", "America/Puerto_Rico"),
            ("Azores", "Atlantic/Azores"),
            ("Dublin", "Europe/Dublin"),
            ("Lisbon", "Europe/Lisbon"),
            ("London", "Europe/London"),
            ("Casablanca", "Africa/Casablanca"),
            ("Monrovia", "Africa/Monrovia"),
            ("UTC", "Etc/UTC"),
            ("Belgrade", "Europe/Belgrade"),
            ("Bratislava", "Europe/Bratislava"),
            ("Budapest", "Europe/Budapest"),
            ("Ljubljana", "Europe/Ljubljana"),
            ("Prague", "Europe/Prague"),
            ("Sarajevo", "Europe/Sarajevo"),
            ("Skopje", "Europe/Skopje"),
            ("Warsaw", "Europe/Warsaw"),
            ("Zagreb", "Europe/Zagreb"),
            ("Brussels", "Europe/Brussels"),
            ("Copenhagen", "Europe/Copenhagen"),
            ("Madrid", "Europe/Madrid"),
            ("Paris", "Europe/Paris"),
            ("Amsterdam", "Europe/Amsterdam"),
            ("Berlin", "Europe/Berlin"),
            ("Zurich", "Europe/Zurich"),
            ("Rome", "Europe/Rome"),
            ("Stockholm", "Europe/Stockholm"),
            ("Vienna", "Europe/Vienna"),
            ("Bucharest", "Europe/Bucharest"),
            ("Cairo", "Africa/Cairo"),
            ("Helsinki", "Europe/Helsinki"),
            ("Kyiv", "Europe/Kiev"),
            ("Riga", "Europe/Riga"),
            ("Sofia", "Europe/Sofia"),
            ("Tallinn", "Europe/Tallinn"),
            ("Vilnius", "Europe/Vilnius"),
            ("Athens", "Europe/Athens"),
            ("Istanbul", "Europe/Istanbul"),
            ("Minsk", "Europe/Minsk"),
            ("Jerusalem", "Asia/Jerusalem"),
            ("Harare", "Africa/Harare"),
            ("Kaliningrad", "Europe/Kaliningrad"),
            ("Moscow", "Europe/Moscow"),
            ("Volgograd", "Europe/Volgograd"),
            ("Samara", "Europe/Samara"),
            ("Kuwait", "Asia/Kuwait"),
            ("Riyadh", "Asia/Riyadh"),
            ("Nairobi", "Africa/Nairobi"),
            ("Baghdad", "Asia/Baghdad"),
            ("Tehran", "Asia/Tehran"),
            ("Muscat", "Asia/Muscat"),
            ("Baku", "Asia/Baku"),
            ("Tbilisi", "Asia/Tbilisi"),
            ("Yerevan", "Asia/Yerevan"),
            ("Kabul", "Asia/Kabul"),
            ("Karachi", "Asia/Karachi"),
            ("Tashkent", "Asia/Tashkent"),
            ("Kolkata", "Asia/Kolkata"),
            ("Kathmandu", "Asia/Kathmandu"),
            ("Dhaka", "Asia/Dhaka"),
            ("Almaty", "Asia/Almaty"),
            ("Novosibirsk", "Asia/Novosibirsk"),
            ("Rangoon", "Asia/Rangoon"),
            ("Bangkok", "Asia/Bangkok"),
            ("Jakarta", "Asia/Jakarta"),
            ("Krasnoyarsk", "Asia/Krasnoyarsk"),
            ("Chongqing", "Asia/Chongqing"),
            ("Hong Kong", "Asia/Hong_Kong"),
            ("Urumqi", "Asia/Urumqi"),
            ("Kuala Lumpur", "Asia/Kuala_Lumpur"),
            ("Singapore", "Asia/Singapore"),
            ("Taipei", "Asia/Taipei"),
            ("Perth", "Australia/Perth"),
            ("Irkutsk", "Asia/Irkutsk"),
            ("Ulaanbaatar", "Asia/Ulaanbaatar"),
            ("Seoul", "Asia/Seoul"),
            ("Tokyo", "Asia/Tokyo"),
            ("Yakutsk", "Asia/Yakutsk"),
            ("Darwin", "Australia/Darwin"),
            ("Adelaide", "Australia/Adelaide"),
            ("Melbourne", "Australia/Melbourne"),
            ("Sydney", "Australia/Sydney"),
            ("Brisbane", "Australia/Brisbane"),
            ("Hobart", "Australia/Hobart"),
            ("Vladivostok", "Asia/Vladivostok"),
            ("Guam", "Pacific/Guam"),
            ("Port Moresby", "Pacific/Port_Moresby"),
            ("Magadan", "Asia/Magadan"),
            ("Srednekolymsk", "Asia/Srednekolymsk"),
            ("Fiji", "Pacific/Fiji"),
            ("Kamchatka", "Asia/Kamchatka"),
            ("Auckland", "Pacific/Auckland"),
        ];
        assert!(OWN.is_sorted_by(|a, b| a.0 < b.0));
        for (name, iana) in OWN.iter().chain(&cities) {
            let found = zone(name).unwrap();
            assert!(is_same(&found, iana), "{name} is {found}, not {iana}");
        }
        assert_eq!(zone("Samoa").as_deref(), Some("Pacific/Apia"));
    }

    #[test]
    fn names_of_iana_are_taken_and_others_are_not() {
        for (name, expected) in
            [("Europe/Berlin", Some("Europe/Berlin")), ("UTC", Some("UTC")), ("Mars", None), ("Astana", None)]
        {
            assert_eq!(zone(name).as_deref(), expected, "{name}");
        }
    }
}
