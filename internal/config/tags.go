package config

import (
	"path/filepath"
	"strings"

	"aorta/pacemaker/cluster"
)

// TagsOf are the configured tags by key; one without a value has an empty one.
func (c *Config) TagsOf() map[string]string {
	tags := map[string]string{}
	for _, t := range c.Tags {
		key, value, _ := strings.Cut(t, "=")
		tags[key] = value
	}
	return tags
}

func (c *Config) checkTags() error {
	for _, t := range c.Tags {
		if !strings.Contains(t, "=") {
			return cluster.Invalid("tags", "%q is no tag: write it as KEY=VALUE", cluster.Clip(t))
		}
	}
	if len(c.TagsOf()) < len(c.Tags) {
		return cluster.Invalid("tags", "one of them is given twice")
	}
	// Whether the program can be run, its first run finds out: a node does without.
	if c.TagsProgram != "" && !filepath.IsAbs(c.TagsProgram) {
		return cluster.Invalid("tags_program", "%q is not an absolute path", c.TagsProgram)
	}
	return cluster.ValidateTags("tags", c.TagsOf())
}
