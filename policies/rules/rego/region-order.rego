# Regions follow each other: each is released once the one before it is done.
# Facts: facts.region: where this release goes; facts.regionsDone: a list of names.
package region_order

order := ["eu-west", "us-east", "ap-south"]

deny contains {"msg": "the region before this one is not done", "code": "region-order"} if not in_order

in_order if input.facts.region == order[0]

in_order if {
	some i, region in order
	i > 0
	region == input.facts.region
	order[i - 1] in input.facts.regionsDone
}
