package table

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"aorta/internal/atomicfile"
	"aorta/router"
)

// fileHead is the first line of a table's file; each line below is a record.
type fileHead struct {
	Cluster string `json:"cluster"`
	router.Pair
}

// SaveTable writes the table that a router accepted last, so that it can serve
// by it after a restart on which its replica came back empty. The file is
// replaced in one step and readable by its owner alone.
func SaveTable(path, cluster string, pair router.Pair, table router.Table) error {
	err := atomicfile.WriteFunc(path, 0o600, func(w io.Writer) error {
		if err := json.NewEncoder(w).Encode(fileHead{Cluster: cluster, Pair: pair}); err != nil {
			return err
		}
		for _, host := range slices.Sorted(maps.Keys(table)) {
			text, err := json.Marshal(table[host])
			if err != nil {
				return err
			}
			if _, err := w.Write(append(salted(host, text), '\n')); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("save the routing table: %w", err)
	}
	return nil
}

// LoadTable reads what SaveTable wrote. A file of another cluster is refused
// with ErrForeign; a broken record gives a *BrokenError with all the others.
func LoadTable(path, cluster string) (router.Table, router.Pair, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, router.Pair{}, fmt.Errorf("load the routing table: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, router.MaxRecordBytes+1)
	var head fileHead
	lines.Scan()
	if err := json.Unmarshal(lines.Bytes(), &head); err != nil {
		return nil, router.Pair{}, fmt.Errorf("load the routing table from %s: first line: %w", path, err)
	}
	if head.Cluster != cluster {
		return nil, router.Pair{}, fmt.Errorf("load the routing table from %s: %w", path, ErrForeign)
	}
	table := make(router.Table)
	broken := make(map[string]error)
	for number := 2; lines.Scan(); number++ {
		r, err := router.ParseRecord(lines.Bytes())
		if err != nil {
			broken[fmt.Sprintf("line %d", number)] = err
			continue
		}
		table[r.Host] = r
	}
	if err := lines.Err(); err != nil {
		return nil, router.Pair{}, fmt.Errorf("load the routing table from %s: %w", path, err)
	}
	if len(broken) > 0 {
		return table, head.Pair, &BrokenError{Causes: broken}
	}
	return table, head.Pair, nil
}
