# The order of regions, tested in Rego itself.
package region_order_test

import data.region_order

test_each_region_follows_the_one_before_it if {
	some i, region in region_order.order
	i > 0
	done := array.slice(region_order.order, 0, i)
	count(region_order.deny) == 0 with input.facts as {"region": region, "regionsDone": done}
	count(region_order.deny) == 1 with input.facts as {"region": region, "regionsDone": []}
}

test_the_first_waits_for_nobody if {
	count(region_order.deny) == 0 with input.facts as {"region": "eu-west", "regionsDone": []}
}

test_a_region_that_nobody_knows_is_denied if {
	count(region_order.deny) == 1 with input.facts as {"region": "mars", "regionsDone": ["eu-west", "us-east"]}
}
