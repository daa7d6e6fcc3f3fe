# Every image is named by its digest, so that what was tested is what runs.
# Facts: facts.images: a list of { ref }, such as `registry/app@sha256:…`.
package image_digest

deny contains {"msg": msg, "code": "image-digest"} if {
	some image in input.facts.images
	not is_pinned(image.ref)
	msg := sprintf("the image %s is not named by its digest", [image.ref])
}

is_pinned(ref) if {
	parts := split(ref, "@sha256:")
	count(parts) == 2
	count(parts[1]) == 64
	trim(parts[1], "0123456789abcdef") == ""
}
