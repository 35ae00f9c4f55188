// Command words lists what people can be told by programs: the texts of the
// command line, of errors, of the log, of the API's document and of the router,
// file by file. The list is kept, so that whoever reviews a change reads its words
// beside one another, as people meet them, and sees the rest of their family. That
// of the pages is web/dashboard's own.
//
//	go run ./scripts/words > scripts/words/testdata/words.txt
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(".", os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "words: %v\n", err)
		os.Exit(1)
	}
}

// run writes the list of the tree at root: the name of each file that says
// something, and under it each text once, in the order of the file.
func run(root string, to io.Writer) error {
	files, err := Find(root)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(to)
	for _, f := range files {
		fmt.Fprintf(out, "%s\n", f.Path)
		for _, text := range f.Texts {
			fmt.Fprintf(out, "\t%s\n", text)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the list: %w", err)
	}
	return nil
}
