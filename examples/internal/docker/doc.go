// Package docker brings things to run on a container engine: containers, stacks of
// docker compose or of a swarm, images that are built. It knows no host program and none of its
// kinds: a host makes a spec of what is declared and gives it to an Engine, from
// its own sync.Deployer.
//
//	sync.Engine ─▶ the host's Deployer ─ ContainerSpec, StackSpec, SwarmSpec, BuildSpec ─▶ Engine ─▶ dockerd
//
// A deploy of a container in a host is then
//
//	mark := docker.Mark{Scope: scope, Key: deploy.Key(), Running: deploy.Running}
//	err := engine.DeployContainer(ctx, mark, &docker.ContainerSpec{Name: "web", Image: "shop/web:2"})
//
// What is recorded, what is deployed and when, what waits for health and what is
// tried again is the business of package sync; nothing of that is here. What runs
// says itself whose it is, with labels, so that an Engine keeps nothing either: it
// tells the health of whatever it, or another one, has deployed.
//
// Containers and images go through the Engine API: no process for each call, typed
// errors, and no environment in an argument list that other users can read. Stacks
// and builds go through the docker command, which is where compose and BuildKit
// are; it has to be installed on this machine, with the plugin for compose, and is
// given the engine's address. An engine of another machine gets no files but those
// of a build: what a stack mounts has to be there.
//
// Errors hold no value of an environment, a build argument or a secret: where the
// engine or the command says one, its name stands in its place, as in <TOKEN>.
package docker
