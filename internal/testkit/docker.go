package testkit

import (
	"cmp"
	"os"
)

// DockerHost is the address of the engine that tests use:
// $AORTA_TEST_DOCKER_HOST, $DOCKER_HOST or the system's own.
func DockerHost() string {
	return cmp.Or(os.Getenv("AORTA_TEST_DOCKER_HOST"), os.Getenv("DOCKER_HOST"), "unix:///var/run/docker.sock")
}
