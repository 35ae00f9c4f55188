package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// choice is a flag's value that is one of some words. It is refused as the flags are
// read: the API's own refusal knows neither the flag nor the words that people see.
type choice struct {
	to    *string
	words []string          // as help names them
	means map[string]string // what the API calls a word, also one that help leaves out
}

// choose adds a flag that takes one of some words, with their completion.
func choose(cmd *cobra.Command, name, usage string, c choice) {
	cmd.Flags().Var(&c, name, usage)
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(c.words, cobra.ShellCompDirectiveNoFileComp))
}

// Set takes a word; none at all leaves open which.
func (c *choice) Set(typed string) error {
	word := strings.ToLower(typed)
	meant, known := c.means[word]
	if !known {
		if err := oneOf(word, c.words); err != nil {
			return err
		}
		meant = word
	}
	*c.to = meant
	return nil
}

// String is what the API is asked for.
func (c *choice) String() string {
	if c.to == nil { // pflag asks a zero value
		return ""
	}
	return *c.to
}

// Type is what help calls the value.
func (c *choice) Type() string { return "string" }

// oneOf refuses a word that is not among those that there are, and names the nearest.
func oneOf(typed string, words []string) error {
	if typed == "" || slices.Contains(words, typed) {
		return nil
	}
	says := fmt.Sprintf("%q is not one of %s", clean(typed), strings.Join(words, ", "))
	for _, w := range words {
		if near(typed, w) {
			return fmt.Errorf("%s; did you mean %s?", says, w)
		}
	}
	return errors.New(says)
}
