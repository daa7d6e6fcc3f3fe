# The change names its ticket, such as `CHG-1234`. That there is none is thought of: it denies.
# Facts: facts.ticket: the ticket, if there is one.
package ticket

deny contains {"msg": "the change has no ticket such as CHG-1234", "code": "ticket"} if not input.facts.ticket

deny contains {"msg": "the change has no ticket such as CHG-1234", "code": "ticket"} if not is_ticket(input.facts.ticket)

is_ticket(text) if {
	startswith(text, "CHG-")
	number := trim_prefix(text, "CHG-")
	number != ""
	trim(number, "0123456789") == ""
}
