# The same rule, tested in Rego itself: `davy test policies/rules/rego/ticket_test.rego`.
package ticket_test

import data.ticket

denied := {{"msg": "the change has no ticket such as CHG-1234", "code": "ticket"}}

test_a_ticket_is_enough if count(ticket.deny) == 0 with input.facts.ticket as "CHG-1234"

test_no_ticket_is_denied if ticket.deny == denied with input as {"facts": {}}

test_what_is_no_ticket_is_denied if {
	every text in ["", "CHG-", "CHG-12a", "JIRA-1", "chg-1"] {
		ticket.deny == denied with input.facts.ticket as text
	}
}
