# No database is migrated from Friday noon to Monday morning, UTC.
# Facts: facts.migrations: how many migrations the release brings. What is no number holds the release.
package friday_migrations

hold contains {"msg": "no migrations from Friday noon to Monday morning (UTC)", "code": "friday-migrations"} if {
	is_count(input.facts.migrations)
	input.facts.migrations > 0
	weekend
}

hold contains {"msg": "facts.migrations is no count", "code": "friday-migrations"} if {
	not is_count(input.facts.migrations)
}

is_count(value) if {
	is_number(value)
	value >= 0
}

weekend if input.time.weekday in ["saturday", "sunday"]

weekend if {
	input.time.weekday == "friday"
	input.time.hour >= 12
}
