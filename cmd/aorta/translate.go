package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// word is a command's word on the command line.
type word struct {
	text string
	arg  int // index of the argument that it is, or is a part of
}

// translate turns what people type into a command that there is: apps:create into
// apps create, and other platforms' words into ours. It changes the command's name
// only, never a flag's value or an argument. The error says what there is instead.
func translate(root *cobra.Command, args []string) ([]string, error) {
	words := commandWords(root, args)
	if len(words) == 0 {
		return args, nil
	}
	if last := words[len(words)-1]; last.text == "help" && len(words) > 1 && last.arg == len(args)-1 {
		return append([]string{"help"}, args[:last.arg]...), nil // as aorta ps help
	}
	h, n := habitOf(words)
	if h.says != "" {
		if n < len(words) {
			h.says = strings.ReplaceAll(h.says, "NODE", clean(words[n].text))
		}
		return args, errors.New(h.says)
	}
	by := slices.Concat(strings.Fields(h.run), rest(words, n))
	return replaceWords(args, words[0].arg, words[:n], by), nil
}

// commandWords are the words that may be a command's: those before the first flag
// that is not one of all commands. The first of them is split at its colons.
func commandWords(root *cobra.Command, args []string) []word {
	var words []word
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case strings.HasPrefix(a, "-"):
			flag := globalFlag(root, a)
			if flag == nil {
				return words
			}
			if flag.NoOptDefVal == "" && (a == "--"+flag.Name || a == "-"+flag.Shorthand) {
				i++ // its value
			}
		case len(words) > 0:
			words = append(words, word{a, i})
		case a != "help": // of which the next words are the command
			for part := range strings.SplitSeq(a, ":") {
				words = append(words, word{part, i})
			}
		}
	}
	return words
}

// globalFlag is the flag of all commands that an argument begins with; nil if
// there is none.
func globalFlag(root *cobra.Command, arg string) *pflag.Flag {
	if long, ok := strings.CutPrefix(arg, "--"); ok {
		name, _, _ := strings.Cut(long, "=")
		return root.PersistentFlags().Lookup(name)
	}
	if len(arg) < 2 {
		return nil
	}
	return root.PersistentFlags().ShorthandLookup(arg[1:2])
}

// habitOf finds the habit with the most words that the command begins with, and
// how many those are; none if there is none.
func habitOf(words []word) (found habit, n int) {
	for _, table := range [][]habit{habits, absent} {
		for _, h := range table {
			want := strings.Fields(h.words)
			if len(want) > n && len(want) <= len(words) && slices.EqualFunc(want, words[:len(want)], isWord) {
				found, n = h, len(want)
			}
		}
	}
	return found, n
}

// isWord says whether a habit has the word that somebody typed; ls is what others call
// a list.
func isWord(habit string, typed word) bool {
	return habit == typed.text || habit == "list" && typed.text == "ls"
}

// rest are the words after the first n that the first argument is made of.
func rest(words []word, n int) []string {
	var texts []string
	for _, w := range words[n:] {
		if w.arg == words[0].arg {
			texts = append(texts, w.text)
		}
	}
	return texts
}

// replaceWords puts other words in place of the first argument of a command, and
// leaves the other ones of replaced out.
func replaceWords(args []string, first int, replaced []word, by []string) []string {
	var out []string
	for i, a := range args {
		switch {
		case i == first:
			out = append(out, by...)
		case !slices.ContainsFunc(replaced, func(w word) bool { return w.arg == i }):
			out = append(out, a)
		}
	}
	return out
}
