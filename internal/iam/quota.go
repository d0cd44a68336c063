package iam

// The quotas (spec sts-iam §2.8). Sizes are characters without white space.
const (
	maxTrust         = 2048
	maxRoleInline    = 10240 // of all inline policies of a role together
	maxUserInline    = 2048
	maxManaged       = 6144
	maxVersions      = 5
	maxAttached      = 10
	maxTags          = 50
	maxKeys          = 2
	maxProviders     = 100
	maxClientIDs     = 100
	maxThumbprints   = 5
	maxEntities      = 5000 // of roles, of users and of managed policies: what AWS raises its quotas to
	maxSimulations   = 100  // decisions of one page of a simulation
	maxSimulatedSize = maxRoleInline + maxAttached*maxManaged
)
