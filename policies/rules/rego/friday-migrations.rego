# No database is migrated from Friday noon to Monday morning, UTC.
# Facts: facts.migrations: how many migrations the release brings.
package friday_migrations

hold contains {"msg": "no migrations from Friday noon to Monday morning (UTC)", "code": "friday-migrations"} if {
	input.facts.migrations > 0
	weekend
}

weekend if input.time.weekday in ["saturday", "sunday"]

weekend if {
	input.time.weekday == "friday"
	input.time.hour >= 12
}
