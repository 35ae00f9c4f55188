package cluster

import "regexp"

// The bounds of a node's tags.
const (
	maxTags     = 32
	maxTagValue = 64
)

// ArchTag is the tag of a node that says what images run on it, such as amd64.
const ArchTag = "arch"

// TagSource is where a node's tag comes from.
type TagSource string

// The sources of tags, strongest first. What placement may require is set: the
// others are a node's own word.
const (
	TagSet        TagSource = "set"        // by people, or by the token that the node joined with
	TagConfigured TagSource = "configured" // in the node's configuration
	TagProgram    TagSource = "program"    // an executable of the operator's on the node
	TagCloud      TagSource = "cloud"      // the cloud's metadata service
	TagPlatform   TagSource = "platform"   // the node's system
)

var (
	tagKey   = regexp.MustCompile(`^[a-z]([a-z0-9._-]{0,38}[a-z0-9])?$`)
	tagValue = regexp.MustCompile(`^[A-Za-z0-9._-]*$`)
)

// ValidateTags checks the tags of a node.
func ValidateTags(field string, tags map[string]string) error {
	if len(tags) > maxTags {
		return Invalid(field, "a node has at most %d tags", maxTags)
	}
	for key, value := range tags {
		if !tagKey.MatchString(key) {
			return Invalid(field, "%q is no name of a tag: lower case letters, digits and . _ -, at most 40", Clip(key))
		}
		if len(value) > maxTagValue || !tagValue.MatchString(value) {
			return Invalid(field, "%s=%q is no value of a tag: letters, digits and . _ -, at most %d", key, Clip(value), maxTagValue)
		}
	}
	return nil
}
