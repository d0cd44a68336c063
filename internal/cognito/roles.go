package cognito

import (
	"context"
	"maps"
	"slices"

	"idpool/internal/event"
	"idpool/internal/login"
	"idpool/internal/operation"
	"idpool/internal/pool"
	"idpool/internal/snapshot"
)

// setRolesTarget asks, besides the operation itself, for iam:PassRole on every role that the pool would give: who may set
// roles cannot hand out more than he may pass on. The pool's ARN is the resource, where AWS knows only "*" (see
// docs/DIVERGENCES.md).
func setRolesTarget(_ context.Context, call *operation.Call, in *SetIdentityPoolRolesInput) (operation.Target, error) {
	target := poolTarget(call, *in.IdentityPoolId)
	wanted := pool.Pool{Roles: in.Roles, RoleMappings: mappings(in.RoleMappings)}
	for _, role := range wanted.RoleARNs() {
		target = append(target, operation.Check{
			Action: "iam:PassRole", Resource: role, Refusal: pool.RoleForbidden(role),
			Keys: map[string]string{"iam:PassedToService": login.OwnIssuer},
		})
	}
	return target, nil
}

// SetIdentityPoolRoles replaces roles and mappings in full (spec §7.17).
func (s *Service) SetIdentityPoolRoles(ctx context.Context, call *operation.Call, in *SetIdentityPoolRolesInput) (*operation.Nothing, error) {
	old, err := poolFor(call, *in.IdentityPoolId)
	if err != nil {
		return nil, err
	}
	p := old.Pool
	p.Roles, p.RoleMappings = in.Roles, mappings(in.RoleMappings)
	if err := p.ValidateRoles(); err != nil {
		return nil, err
	}
	for _, role := range p.RoleARNs() {
		if call.Snapshot.Role(role) == nil && s.Authorities.Of(role) == nil {
			return nil, pool.RoleForbidden(role)
		}
	}
	warnWritable(call, &p)
	return nil, s.write(ctx, concurrently(p.ID), snapshot.PutPool(&p, old.Version))
}

// warnWritable notes rules on claims that users may be able to write themselves: who can, chooses his role (security E1).
// Whether a provider lets them is not known here.
func warnWritable(call *operation.Call, p *pool.Pool) {
	for _, key := range slices.Sorted(maps.Keys(p.RoleMappings)) {
		for _, r := range p.RoleMappings[key].Rules {
			if !pool.UserWritable(r.Claim) {
				continue
			}
			call.Event.Add(event.Step{
				Name: "lint", Subject: key, Expected: "rules on claims that only the provider writes",
				Found: "a rule on " + r.Claim + ", which users may be able to change",
			})
		}
	}
}

// GetIdentityPoolRoles returns what SetIdentityPoolRoles stored (spec §7.8).
func (s *Service) GetIdentityPoolRoles(_ context.Context, call *operation.Call, in *PoolInput) (*GetIdentityPoolRolesOutput, error) {
	p, err := poolFor(call, *in.IdentityPoolId)
	if err != nil {
		return nil, err
	}
	out := &GetIdentityPoolRolesOutput{IdentityPoolId: &p.ID, Roles: map[string]string{}}
	if len(p.Roles) > 0 {
		out.Roles = p.Roles
	}
	for key, m := range p.RoleMappings {
		if out.RoleMappings == nil {
			out.RoleMappings = map[string]RoleMapping{}
		}
		out.RoleMappings[key] = mappingOnWire(&m)
	}
	return out, nil
}

func mappings(in map[string]RoleMapping) map[string]pool.RoleMapping {
	if len(in) == 0 {
		return nil
	}
	out := make(map[string]pool.RoleMapping, len(in))
	for key, m := range in {
		one := pool.RoleMapping{Type: text(m.Type), Ambiguous: text(m.AmbiguousRoleResolution)}
		if m.RulesConfiguration != nil {
			for _, r := range m.RulesConfiguration.Rules {
				one.Rules = append(one.Rules, pool.Rule{Claim: text(r.Claim), MatchType: text(r.MatchType), Value: text(r.Value), RoleARN: text(r.RoleARN)})
			}
		}
		out[key] = one
	}
	return out
}

func mappingOnWire(m *pool.RoleMapping) RoleMapping {
	out := RoleMapping{Type: &m.Type, AmbiguousRoleResolution: &m.Ambiguous}
	for _, r := range m.Rules {
		if out.RulesConfiguration == nil {
			out.RulesConfiguration = &RulesConfigurationType{}
		}
		out.RulesConfiguration.Rules = append(out.RulesConfiguration.Rules, MappingRule{Claim: &r.Claim, MatchType: &r.MatchType, Value: &r.Value, RoleARN: &r.RoleARN})
	}
	return out
}
