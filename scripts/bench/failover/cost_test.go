package main

import (
	"testing"
	"time"

	"aorta/internal/testkit/lab"
)

func TestCostOf_CountsFromTheLoss(t *testing.T) {
	struck := time.Unix(1000, 0)
	at := func(sent, took time.Duration, by string, post bool) lab.Answer {
		return lab.Answer{Sent: struck.Add(sent), Took: took, OK: by != "", By: by, Post: post}
	}
	gets := []lab.Answer{at(-time.Second, time.Millisecond, "v1 a", false), at(time.Second, 2*time.Second, "v1 a", false), at(17*time.Second, time.Second, "v1 b", false)}
	posts := []lab.Answer{at(0, 7*time.Second, "", true), at(20*time.Second, time.Millisecond, "v1 b", true)}

	got := costOf(struck, gets, posts)

	want := cost{posts: 1, sent: 3, well: 7 * time.Second, full: 18 * time.Second, slowest: 2 * time.Second}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestLine_HasMediansAndSpans(t *testing.T) {
	got := line("this", []cost{{sent: 10, posts: 3, well: 3 * time.Second}, {sent: 10, posts: 1, well: time.Second}, {sent: 10, posts: 2, well: 2 * time.Second}})

	const want = "| this | 0 (0 … 0) of 10 | 2 (1 … 3) of 10 | 2.0 s (1.0 … 3.0) | 0.0 s (0.0 … 0.0) | 0.0 s (0.0 … 0.0) |"
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
