package main

import (
	"fmt"
	"runtime/debug"
)

// version is set by release builds: -ldflags "-X main.version=v1.2.3".
var version = ""

type versionCommand struct{}

// Run prints the version, or the revision that the program was built from.
func (versionCommand) Run(env *environment) error {
	_, err := fmt.Fprintln(env.out, "idpool", programVersion())
	return err
}

func programVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "devel " + s.Value
		}
	}
	return "devel"
}
