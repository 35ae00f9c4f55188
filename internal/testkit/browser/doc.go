// Package browser drives a headless Chromium in tests the way a person would:
// it finds what is on a page by role and name (as a screen reader says them),
// clicks where it is seen, types what keys type, and waits on conditions. It
// writes down what a person would be alarmed by: dialogs, errors, breaches of
// the page's policy, requests to other places.
//
// It is for tests only. It knows nothing of the pages that it is shown, and
// looks at them through the accessibility tree, not through class names.
package browser
