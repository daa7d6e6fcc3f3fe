# Two people who are not the author have approved the change.
# Facts: facts.author: who made it; facts.approvals: a list of { by }. What is no name is nobody.
package four_eyes

deny contains {"msg": "two people other than its author must approve the change", "code": "four-eyes"} if {
	count(approvers) < 2
}

approvers contains approval.by if {
	is_string(input.facts.author)
	some approval in input.facts.approvals
	is_string(approval.by)
	approval.by != ""
	approval.by != input.facts.author
}
