package main

import "aorta/internal/size"

// bytesOf parses a size above 0, such as 256m, 1.5g or 1048576.
func bytesOf(text string) (int64, error) {
	n, ok := size.Parse(text)
	if !ok || n == 0 {
		return 0, usagef("%q is not a size (such as 256m or 1.5g)", clean(text))
	}
	return n, nil
}
