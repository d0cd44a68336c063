package iam

import (
	"context"
	"strings"
	"time"

	"idpool/internal/account"
	"idpool/internal/arn"
	"idpool/internal/fault"
	op "idpool/internal/operation"
	"idpool/internal/snapshot"
	"idpool/internal/store"
)

// CreateUserInput asks for a user.
type CreateUserInput struct {
	Path                *string `shape:"pathType"`
	UserName            *string `shape:"userNameType,required"`
	PermissionsBoundary *string `shape:"arnType"`
	Tags                []Tag   `shape:"tagListType"`
}

// UserInput names a user.
type UserInput struct {
	UserName *string `shape:"existingUserNameType,required"`
}

// OwnUserInput names a user; without a name, the caller.
type OwnUserInput struct {
	UserName *string `shape:"existingUserNameType"`
}

// UserPageInput asks for a page of something of a user.
type UserPageInput struct {
	UserName *string `shape:"existingUserNameType,required"`
	Marker   *string `shape:"markerType"`
	MaxItems *int64  `shape:"maxItemsType"`
}

// UserOutput is a user.
type UserOutput struct {
	User *User
}

// CreateUser makes a user without keys and policies. Names are unique without case.
func (s *Service) CreateUser(ctx context.Context, call *op.Call, in *CreateUserInput) (*UserOutput, error) {
	tags, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	u := &account.User{
		Name: *in.UserName, Path: or(in.Path, "/"), Created: call.Now.UTC().Truncate(time.Second), Boundary: text(in.PermissionsBoundary), Tags: tags,
	}
	if u.ID, err = account.NewID(arn.PrefixUser, s.Random); err != nil {
		return nil, err
	}
	err = s.attempt(ctx, call, func(now *snapshot.Snapshot) ([]store.Write, error) {
		if err := freeUserName(now, u.Name); err != nil {
			return nil, err
		}
		if len(now.Users()) >= maxEntities {
			return nil, fault.New(fault.LimitExceeded, "Cannot exceed quota for UsersPerAccount: %d", maxEntities)
		}
		held, err := boundary(now, u.Boundary)
		if err != nil {
			return nil, err
		}
		return append(held, snapshot.PutUser(u, 0)), u.Validate()
	})
	if err != nil {
		return nil, err
	}
	return &UserOutput{userOnWire(call, u)}, nil
}

func freeUserName(now *snapshot.Snapshot, name string) error {
	if now.UserNamed(name) != nil {
		return fault.New(fault.ResourceConflict, "User with name %s already exists.", name)
	}
	return nil
}

// userOnWire is a user as answers on him alone show him.
func userOnWire(call *op.Call, u *account.User) *User {
	out := userInList(call, u)
	out.PermissionsBoundary, out.Tags = boundaryOnWire(u.Boundary), tagsOnWire(u.Tags)
	return &out
}

// userInList is a user as lists show him.
func userInList(call *op.Call, u *account.User) User {
	userARN := u.ARN(call.Snapshot.Account)
	return User{Path: &u.Path, UserName: &u.Name, UserId: &u.ID, Arn: &userARN, CreateDate: &u.Created}
}

// nameOr is the name that a request gives, or the caller's, who must be a user then.
func nameOr(call *op.Call, name *string) (string, error) {
	if name != nil {
		return *name, nil
	}
	if call.Caller.User == nil {
		return "", fault.New(fault.Validation, "Must specify userName when calling with non-User credentials")
	}
	return call.Caller.User.Name, nil
}

// GetUser returns a user; without a name, the caller.
func (s *Service) GetUser(_ context.Context, call *op.Call, in *OwnUserInput) (*UserOutput, error) {
	name, err := nameOr(call, in.UserName)
	if err != nil {
		return nil, err
	}
	u, err := userIn(call.Snapshot, name)
	if err != nil {
		return nil, err
	}
	return &UserOutput{userOnWire(call, &u.User)}, nil
}

// UpdateUserInput renames a user, or moves him to another path.
type UpdateUserInput struct {
	UserName    *string `shape:"existingUserNameType,required"`
	NewPath     *string `shape:"pathType"`
	NewUserName *string `shape:"userNameType"`
}

// UpdateUser renames a user, or moves him to another path. His id, keys and policies stay his.
func (s *Service) UpdateUser(ctx context.Context, call *op.Call, in *UpdateUserInput) (*op.Nothing, error) {
	return nil, s.change(ctx, call, user(*in.UserName), func(now *snapshot.Snapshot, e *entity) ([]store.Write, error) {
		old := now.UserNamed(e.name)
		u := old.User
		u.Name, u.Path = or(in.NewUserName, u.Name), or(in.NewPath, u.Path)
		if err := u.Validate(); err != nil || strings.EqualFold(u.Name, old.Name) {
			return []store.Write{snapshot.PutUser(&u, old.Version)}, err
		}
		if err := freeUserName(now, u.Name); err != nil {
			return nil, err
		}
		return []store.Write{snapshot.DeleteUser(old.Name, old.Version), snapshot.PutUser(&u, 0)}, nil
	})
}

// DeleteUser deletes a user without policies and keys.
func (s *Service) DeleteUser(ctx context.Context, call *op.Call, in *UserInput) (*op.Nothing, error) {
	return nil, s.change(ctx, call, user(*in.UserName), func(now *snapshot.Snapshot, e *entity) ([]store.Write, error) {
		u := now.UserNamed(e.name)
		if len(u.Keys) > 0 {
			return nil, fault.New(fault.DeleteConflict, "Cannot delete entity, must delete access keys first.")
		}
		if err := e.bare(); err != nil {
			return nil, err
		}
		return []store.Write{snapshot.DeleteUser(e.name, u.Version)}, nil
	})
}

// ListUsersInput asks for a page of users.
type ListUsersInput struct {
	PathPrefix *string `shape:"pathPrefixType"`
	Marker     *string `shape:"markerType"`
	MaxItems   *int64  `shape:"maxItemsType"`
}

// ListUsersOutput is a page of users.
type ListUsersOutput struct {
	Users       []User
	IsTruncated *bool
	Marker      *string
}

// ListUsers lists users by name, without tags and boundaries.
func (s *Service) ListUsers(_ context.Context, call *op.Call, in *ListUsersInput) (*ListUsersOutput, error) {
	var users []*snapshot.User
	for _, u := range call.Snapshot.Users() {
		if strings.HasPrefix(u.Path, text(in.PathPrefix)) {
			users = append(users, u)
		}
	}
	byName := func(u *snapshot.User) string { return strings.ToLower(u.Name) }
	p, err := list[*snapshot.User]{of: "ListUsers", items: users, key: byName}.page(call, paging{in.Marker, in.MaxItems})
	if err != nil {
		return nil, err
	}
	out := &ListUsersOutput{Users: []User{}, IsTruncated: p.truncated, Marker: p.marker}
	for _, u := range p.items {
		out.Users = append(out.Users, userInList(call, &u.User))
	}
	return out, nil
}

// ListGroupsForUserOutput is a page of groups, of which there are none.
type ListGroupsForUserOutput struct {
	Groups      []string
	IsTruncated *bool
	Marker      *string
}

// ListGroupsForUser answers an empty list: Terraform asks before it deletes a user.
func (s *Service) ListGroupsForUser(_ context.Context, call *op.Call, in *UserPageInput) (*ListGroupsForUserOutput, error) {
	if _, err := userIn(call.Snapshot, *in.UserName); err != nil {
		return nil, err
	}
	return &ListGroupsForUserOutput{Groups: []string{}, IsTruncated: new(bool)}, nil
}
