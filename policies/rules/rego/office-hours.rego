# Releases begin and end between 8 and 17 o'clock UTC on weekdays. Calendars know more: zones, holidays, freezes.
# Facts: none.
package office_hours

hold contains {"msg": "outside of office hours (8 to 17 UTC, Monday to Friday)", "code": "office-hours"} if not office_hours

office_hours if {
	not input.time.weekday in ["saturday", "sunday"]
	input.time.hour >= 8
	input.time.hour < 17
}
