// Package buildkit builds images with the BuildKit that is part of a Docker
// engine, through two connections that the engine's API hands over.
//
// The Dockerfile is read here and not by the engine: engines from 20.10 on then
// understand the same Dockerfile, and what one is too old for is named. So
// nothing is fetched for a "# syntax=" line either.
//
// It knows nothing of containers, and neither lists nor removes images.
package buildkit
