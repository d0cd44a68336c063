package cognito_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"idpool/internal/config"
	"idpool/internal/identity"
	"idpool/internal/issuer"
	"idpool/internal/keyring"
	"idpool/internal/pool"
	"idpool/internal/snapshot"
	"idpool/internal/store/storetest"
)

func (w *world) lookup(in object) reply {
	w.t.Helper()
	in["IdentityPoolId"] = w.pool
	return w.ok("LookupDeveloperIdentity", in)
}

func (w *world) merge(from, to string) object {
	return object{"IdentityPoolId": w.pool, "DeveloperProviderName": developer, "SourceUserIdentifier": from, "DestinationUserIdentifier": to}
}

// TestD8: merging takes the permission, both users under one name in one pool, and moves all logins or nothing; the
// identity that gave them away is dead and leads nowhere; both are on record.
func TestD8(t *testing.T) {
	w := newWorld(t, options{})
	other := w.newPool(object{"DeveloperProviderName": developer})
	mint := func(name string, more map[string]string) reply {
		return w.developerToken(object{"Logins": both(user(name), more)})
	}
	source, destination := mint("source", w.idp.login(0, "source")), mint("destination", w.idp.login(1, "destination"))
	third := mint("third", w.idp.login(1, "third"))
	w.ok("GetOpenIdTokenForDeveloperIdentity", object{"IdentityPoolId": other, "Logins": user("elsewhere")})
	for name, row := range map[string]struct {
		a              ask
		code, sentence string
	}{
		"without the permission":    {ask{w.user("nobody"), "MergeDeveloperIdentities", w.merge("source", "destination")}, denied, ""},
		"with that of another pool": {ask{w.user("elsewhere", allow("cognito-identity:*", poolARN(other), "")), "MergeDeveloperIdentities", w.merge("source", "destination")}, denied, ""},
		"a user of another pool":    {ask{op: "MergeDeveloperIdentities", in: w.merge("source", "elsewhere")}, missing, unknownUser},
		"a public login's name":     {ask{op: "MergeDeveloperIdentities", in: object{"IdentityPoolId": w.pool, "DeveloperProviderName": "accounts.google.com", "SourceUserIdentifier": "source", "DestinationUserIdentifier": "destination"}}, invalid, unsupported},
		"two users of one provider": {ask{op: "MergeDeveloperIdentities", in: w.merge("third", "destination")}, conflict, linkedElsewhere},
	} {
		w.refuse(t, name, row.code, row.sentence, row.a)
	}
	for range 2 { // the second time they are one already
		at := w.journal.len()
		if got := w.ok("MergeDeveloperIdentities", w.merge("source", "destination")).IdentityId; got != destination.IdentityId {
			t.Fatalf("got %s, want the destination's", got)
		}
		if text := fmt.Sprintf("%+v", w.journal.since(at)[0]); !strings.Contains(text, destination.IdentityId) {
			t.Errorf("the record %s does not name the destination", text)
		}
	}
	var recorded bool
	for _, r := range w.journal.since(0) {
		for _, step := range r.Steps {
			recorded = recorded || step.Name == "merge" && step.Subject == source.IdentityId && r.Identity == destination.IdentityId
		}
	}
	if !recorded {
		t.Error("no record names source and destination")
	}
	// A circle is no circle: they are one.
	if got := w.ok("MergeDeveloperIdentities", w.merge("destination", "source")).IdentityId; got != destination.IdentityId {
		t.Errorf("back: got %s, want the one that is left", got)
	}
	want := []identity.LoginKey{
		{Provider: w.idp.key(0), Subject: "source"}, {Provider: w.idp.key(1), Subject: "destination"},
		{Provider: developer, Subject: "destination"}, {Provider: developer, Subject: "source"},
	}
	for _, i := range w.MustIdentities(w.pool) {
		switch i.ID {
		case destination.IdentityId:
			if d := cmp.Diff(i.Logins, want); d != "" || i.Disabled {
				t.Errorf("destination (-got +want):\n%s", d)
			}
		case source.IdentityId:
			if len(i.Logins) != 0 || !i.Disabled || i.MergedInto != destination.IdentityId {
				t.Errorf("source: got %+v, want it empty, disabled and merged", i)
			}
		}
	}
	// The dead identity leads nobody to the living one, whatever is presented.
	for name, logins := range map[string]any{
		"nothing": nil, "its login of before": w.idp.login(0, "source"), "the other's": w.idp.login(1, "destination"),
		"its token of before": object{own: source.Token}, "the other's token": object{own: destination.Token},
	} {
		w.refuse(t, name, refused, forbidden(source.IdentityId), ask{op: "GetCredentialsForIdentity", in: object{"IdentityId": source.IdentityId, "Logins": logins}})
	}
	w.refuse(t, "as a target", refused, forbidden(source.IdentityId), ask{op: "GetOpenIdTokenForDeveloperIdentity", in: object{"IdentityPoolId": w.pool, "IdentityId": source.IdentityId, "Logins": user("new")}})
	w.vend(destination.IdentityId, w.idp.login(0, "source"))
	w.vend(third.IdentityId, w.idp.login(1, "third"))
	for _, hidden := range []bool{false, true} {
		list := w.ok("ListIdentities", object{"IdentityPoolId": w.pool, "MaxResults": 60, "HideDisabled": hidden})
		if shown := strings.Contains(fmt.Sprint(list.Identities), source.IdentityId); shown == hidden {
			t.Errorf("HideDisabled %v: shown %v", hidden, shown)
		}
	}
}

// TestD9: who may vouch for a user can be every identity to which the user's login leads, and no other; the word of a
// developer is an action of its own.
func TestD9(t *testing.T) {
	w := newWorld(t, options{})
	alice, guest := w.getID(w.idp.login(0, "alice")), w.getID(nil)
	registeredUser := w.developerToken(object{"Logins": user("dev")}).IdentityId
	mint := func(in object) ask {
		in["IdentityPoolId"] = w.pool
		return ask{op: "GetOpenIdTokenForDeveloperIdentity", in: in}
	}
	everythingElse := w.user("everything-else", allow("*", "*", ""), deny("cognito-identity:GetOpenIdTokenForDeveloperIdentity", "*", ""))
	other := w.newPool(object{"DeveloperProviderName": developer})
	elsewhere := w.user("elsewhere", allow("cognito-identity:GetOpenIdTokenForDeveloperIdentity", poolARN(other), ""))
	for name, row := range map[string]struct {
		a              ask
		code, sentence string
	}{
		"somebody's identity":                   {mint(object{"IdentityId": alice, "Logins": user("new")}), refused, loginsDontMatch},
		"somebody's, with another's login":      {mint(object{"IdentityId": alice, "Logins": both(user("new"), w.idp.login(0, "mallory"))}), refused, loginsDontMatch},
		"a registered user, for a guest":        {mint(object{"IdentityId": guest, "Logins": user("dev")}), taken, registered},
		"a registered user, for somebody":       {mint(object{"IdentityId": alice, "Logins": user("dev")}), taken, registered},
		"a registered user, with the own login": {mint(object{"IdentityId": alice, "Logins": both(user("dev"), w.idp.login(0, "alice"))}), taken, registered},
		"a login that is no token":              {mint(object{"Logins": both(user("new"), map[string]string{w.idp.key(0): "alice"})}), refused, notOpenID},
		"an illegal tag":                        {mint(object{"Logins": user("new"), "PrincipalTags": object{"aws:x": "y"}}), invalid, ""},
		"a value that is no tag's":              {mint(object{"Logins": user("new"), "PrincipalTags": object{"team": "*"}}), invalid, ""},
		"without the permission":                {ask{everythingElse, "GetOpenIdTokenForDeveloperIdentity", mint(object{"Logins": user("new")}).in}, denied, ""},
		"with that of another pool":             {ask{elsewhere, "GetOpenIdTokenForDeveloperIdentity", mint(object{"Logins": user("new")}).in}, denied, ""},
	} {
		w.refuse(t, name, row.code, row.sentence, row.a)
	}
	for name, duration := range map[string]string{"none": "0", "negative": "-1", "a day and more": "86401", "huge": "9223372036854775807"} {
		w.refuse(t, name, badValue, "", ask{op: "GetOpenIdTokenForDeveloperIdentity", in: rawJSON(fmt.Sprintf(`{"IdentityPoolId":%q,"Logins":{%q:"new"},"TokenDuration":%s}`, w.pool, developer, duration))})
	}
	for name, duration := range map[string]string{"text": `"900"`, "a fraction": "900.5", "too long for an integer": "9223372036854775808"} {
		w.refuse(t, name, unread, "", ask{op: "GetOpenIdTokenForDeveloperIdentity", in: rawJSON(fmt.Sprintf(`{"IdentityPoolId":%q,"Logins":{%q:"new"},"TokenDuration":%s}`, w.pool, developer, duration))})
	}
	// What is right: a new user, the same again, a guest, an identity with its login.
	for name, row := range map[string]struct {
		in   object
		want string
	}{
		"again":          {object{"Logins": user("dev")}, registeredUser},
		"again, by id":   {object{"Logins": user("dev"), "IdentityId": registeredUser}, registeredUser},
		"a guest":        {object{"Logins": user("second"), "IdentityId": guest}, guest},
		"with its login": {object{"Logins": both(user("third"), w.idp.login(0, "alice")), "IdentityId": alice}, alice},
		"by the login":   {object{"Logins": both(user("third"), w.idp.login(0, "alice"))}, alice},
	} {
		if got := w.developerToken(row.in).IdentityId; got != row.want {
			t.Errorf("%s: got %s, want %s", name, got, row.want)
		}
	}
	w.developerToken(object{"Logins": both(user("fourth"), w.idp.login(0, "alice")), "IdentityId": alice})
	if got := w.lookup(object{"IdentityId": alice}).DeveloperUserIdentifierList; !slices.Equal(got, []string{"fourth", "third"}) {
		t.Errorf("got the users %v, want both", got)
	}
	w.refuse(t, "a guest who is somebody now", refused, forbidden(guest), ask{op: "GetCredentialsForIdentity", in: object{"IdentityId": guest}})
}

// TestD9Race: a developer's user who turns up elsewhere while a request for a guest is under way stays there.
func TestD9Race(t *testing.T) {
	w := newWorld(t, options{})
	guest := w.getID(nil)
	var elsewhere string
	w.hooks.once(storetest.IdentitiesApply, func() { elsewhere = w.developerToken(object{"Logins": user("dev")}).IdentityId })
	_, err := w.as(nil, "GetOpenIdTokenForDeveloperIdentity", object{"IdentityPoolId": w.pool, "IdentityId": guest, "Logins": user("dev")})
	if err == nil || !strings.HasPrefix(err.Error(), taken+": "+registered) {
		t.Errorf("got %v, want %s", err, taken)
	}
	if got := w.lookup(object{"DeveloperUserIdentifier": "dev"}).IdentityId; got != elsewhere {
		t.Errorf("got %s, want %s", got, elsewhere)
	}
	w.vend(guest, nil)
}

// rotate gives the signing keys a new active one; what becomes of the others is given.
func (w *world) rotate(others keyring.State) {
	w.t.Helper()
	old := w.snapshot().Ring(keyring.Signing)
	ring, err := w.Setup.Holder.NewRing(keyring.Signing, w.clock.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, k := range old.Keys {
		k.State = others
		ring.Keys = append(ring.Keys, k)
	}
	w.write(snapshot.PutRing(&ring, old.Version))
}

// flip changes a character near the end of a part of a token, so that the part keeps its form.
func flip(token string, part int) string {
	parts := strings.Split(token, ".")
	b := []byte(parts[part])
	at := len(b) - 2
	if b[at] == 'A' {
		b[at] = 'B'
	} else {
		b[at] = 'A'
	}
	parts[part] = string(b)
	return strings.Join(parts, ".")
}

// signed is a token of ours with any claims.
func (w *world) signed(c issuer.Claims) string {
	w.t.Helper()
	token, err := issuer.Sign(w.snapshot().Keys, &c)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

// TestD11: a token of ours is a login only for its own identity in its own pool, while it lives, under a key that is not
// retired, and alone.
func TestD11(t *testing.T) {
	w := newWorld(t, options{})
	other := w.fullPool()
	dev := w.developerToken(object{"Logins": user("dev")})
	second := w.developerToken(object{"Logins": user("second")})
	foreign := w.ok("GetOpenIdTokenForDeveloperIdentity", object{"IdentityPoolId": other, "Logins": user("dev")})
	guest := w.getID(nil)
	guestToken := w.ok("GetOpenIdToken", object{"IdentityId": guest}).Token
	empty := w.developerToken(object{"Logins": user("empty")})
	w.ok("UnlinkDeveloperIdentity", object{"IdentityPoolId": w.pool, "DeveloperProviderName": developer, "IdentityId": empty.IdentityId, "DeveloperUserIdentifier": "empty"})
	deleted := w.developerToken(object{"Logins": user("deleted")})
	w.ok("DeleteIdentities", object{"IdentityIdsToDelete": []string{deleted.IdentityId}})
	stranger := newWorld(t, options{})
	theirs := stranger.developerToken(object{"Logins": user("dev")}).Token
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWS"}`)) + "." + strings.Split(dev.Token, ".")[1] + "."

	for range 2 { // it may be used again until it ends (spec §12.3)
		out := w.vend(dev.IdentityId, map[string]string{own: dev.Token})
		who, err := w.WhoAmI(out.signer())
		if out.IdentityId != dev.IdentityId || err != nil || who != "arn:aws:sts::111122223333:assumed-role/dev-authenticated/CognitoIdentityCredentials" {
			t.Fatalf("got %s as %s, %v, want the developer's identity with the role for authenticated ones", out.IdentityId, who, err)
		}
	}
	vend := func(id string, logins any) ask {
		return ask{op: "GetCredentialsForIdentity", in: object{"IdentityId": id, "Logins": logins}}
	}
	for name, row := range map[string]struct {
		a              ask
		code, sentence string
	}{
		"another identity":            {vend(second.IdentityId, object{own: dev.Token}), refused, notCognito},
		"a guest":                     {vend(guest, object{own: dev.Token}), refused, notCognito},
		"another pool's token":        {vend(dev.IdentityId, object{own: foreign.Token}), refused, notCognito},
		"another pool's identity":     {vend(foreign.IdentityId, object{own: dev.Token}), refused, notCognito},
		"a guest's token for him":     {vend(guest, object{own: guestToken}), refused, notCognito},
		"a guest's token for a user":  {vend(dev.IdentityId, object{own: guestToken}), refused, notCognito},
		"an identity without logins":  {vend(empty.IdentityId, object{own: empty.Token}), refused, notCognito},
		"a deleted identity":          {vend(deleted.IdentityId, object{own: deleted.Token}), missing, noIdentity(deleted.IdentityId)},
		"another server's":            {vend(dev.IdentityId, object{own: theirs}), refused, notCognito},
		"a provider's":                {vend(dev.IdentityId, object{own: w.idp.token(0, "dev", nil)}), refused, notCognito},
		"not signed":                  {vend(dev.IdentityId, object{own: unsigned}), refused, notCognito},
		"a changed header":            {vend(dev.IdentityId, object{own: flip(dev.Token, 0)}), refused, notCognito},
		"a changed payload":           {vend(dev.IdentityId, object{own: flip(dev.Token, 1)}), refused, notCognito},
		"a changed signature":         {vend(dev.IdentityId, object{own: flip(dev.Token, 2)}), refused, notCognito},
		"cut":                         {vend(dev.IdentityId, object{own: dev.Token[:len(dev.Token)-1]}), refused, notCognito},
		"no token":                    {vend(dev.IdentityId, object{own: "x"}), refused, notCognito},
		"beside another login":        {vend(dev.IdentityId, both(w.idp.login(0, "x"), map[string]string{own: dev.Token})), refused, notCognito},
		"as a provider's":             {vend(dev.IdentityId, object{w.idp.key(0): dev.Token}), refused, notOpenID},
		"under the issuer's own name": {vend(dev.IdentityId, object{"idpool.test": dev.Token}), refused, loginsDontMatch},
		"as the developer's user":     {vend(dev.IdentityId, user(dev.Token)), invalid, publicProvider},
		"to GetId":                    {ask{op: "GetId", in: object{"IdentityPoolId": w.pool, "Logins": object{own: dev.Token}}}, refused, cognitoToken},
		"to GetOpenIdToken":           {ask{op: "GetOpenIdToken", in: object{"IdentityId": dev.IdentityId, "Logins": object{own: dev.Token}}}, refused, cognitoToken},
		"to UnlinkIdentity":           {ask{op: "UnlinkIdentity", in: object{"IdentityId": dev.IdentityId, "Logins": object{own: dev.Token}, "LoginsToRemove": []string{developer}}}, refused, cognitoToken},
		"with another role":           {ask{op: "GetCredentialsForIdentity", in: object{"IdentityId": dev.IdentityId, "Logins": object{own: dev.Token}, "CustomRoleArn": w.Dev.GuestRoleARN}}, refused, noRole(w.Dev.GuestRoleARN)},
	} {
		w.refuse(t, name, row.code, row.sentence, row.a)
	}
	// Tokens that only we could have signed, each with one claim that is not right.
	good := issuer.Claims{
		Issuer: "https://idpool.test", IdentityID: dev.IdentityId, PoolID: w.pool, AMR: []string{"authenticated", developer, developer + ":" + w.pool + ":dev"},
		Issued: noon, Expiry: noon.Add(time.Minute),
	}
	w.vend(dev.IdentityId, map[string]string{own: w.signed(good)})
	for name, change := range map[string]func(*issuer.Claims){
		"another issuer":           func(c *issuer.Claims) { c.Issuer = "https://idpool.example" },
		"AWS's issuer":             func(c *issuer.Claims) { c.Issuer = "https://" + own },
		"another identity":         func(c *issuer.Claims) { c.IdentityID = second.IdentityId },
		"another pool":             func(c *issuer.Claims) { c.PoolID = other },
		"no login":                 func(c *issuer.Claims) { c.AMR = nil },
		"authenticated by nothing": func(c *issuer.Claims) { c.AMR = c.AMR[:1] },
		"a guest with a login":     func(c *issuer.Claims) { c.AMR = append([]string{"unauthenticated"}, c.AMR[1:]...) },
		"another user": func(c *issuer.Claims) {
			c.AMR = []string{"authenticated", developer, developer + ":" + w.pool + ":second"}
		},
		"the user and another's login": func(c *issuer.Claims) { c.AMR = append(slices.Clone(c.AMR), w.idp.key(0), w.idp.arn(0)+":OIDC:x") },
		"ended":                        func(c *issuer.Claims) { c.Issued, c.Expiry = noon.Add(-time.Hour), noon.Add(-time.Second) },
	} {
		changed := good
		change(&changed)
		want := notCognito
		if name == "ended" {
			want = fmt.Sprintf("Invalid login token. Token expired: %d >= %d", noon.Unix(), noon.Unix()-1)
		}
		w.refuse(t, "signed by us: "+name, refused, want, vend(dev.IdentityId, object{own: w.signed(changed)}))
	}
	// A token does not outlive the login that it was given for, though others are left.
	w.developerToken(object{"Logins": user("leaves")})
	w.ok("MergeDeveloperIdentities", w.merge("leaves", "second"))
	leaving := w.developerToken(object{"Logins": user("leaves")})
	w.vend(second.IdentityId, map[string]string{own: leaving.Token})
	w.ok("UnlinkDeveloperIdentity", object{"IdentityPoolId": w.pool, "DeveloperProviderName": developer, "IdentityId": second.IdentityId, "DeveloperUserIdentifier": "leaves"})
	w.refuse(t, "a login that left", refused, notCognito, vend(second.IdentityId, object{own: leaving.Token}))
	w.vend(second.IdentityId, map[string]string{own: second.Token})

	w.rotate(keyring.VerifyOnly)
	w.vend(dev.IdentityId, map[string]string{own: dev.Token})
	w.rotate(keyring.Retired)
	w.refuse(t, "a retired key", refused, notCognito, vend(dev.IdentityId, object{own: dev.Token}))
	last := w.developerToken(object{"Logins": user("dev"), "TokenDuration": 60}).Token
	w.advance(60*time.Second - time.Millisecond - 123*time.Millisecond)
	w.vend(dev.IdentityId, map[string]string{own: last})
	w.advance(time.Millisecond)
	end := noon.Unix() + 60
	w.refuse(t, "ended", refused, fmt.Sprintf("Invalid login token. Token expired: %d >= %d", end, end), vend(dev.IdentityId, object{own: last}))
}

// TestLookup: by user, by identity, both, and in pages that go on where they ended.
func TestLookup(t *testing.T) {
	w := newWorld(t, options{})
	var names []string
	for n := range 7 {
		names = append(names, fmt.Sprint("user-", n))
		w.developerToken(object{"Logins": user(names[n])})
		w.ok("MergeDeveloperIdentities", w.merge(names[n], names[0]))
	}
	id := w.lookup(object{"DeveloperUserIdentifier": "user-3"}).IdentityId
	for name, in := range map[string]object{
		"by user": {"DeveloperUserIdentifier": "user-3"}, "as a pair": {"DeveloperUserIdentifier": "user-3", "IdentityId": id},
	} {
		if got := w.lookup(in); got.IdentityId != id || !slices.Equal(got.DeveloperUserIdentifierList, []string{"user-3"}) || got.NextToken != "" {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	if got := w.lookup(object{"IdentityId": id}); got.IdentityId != id || !slices.Equal(got.DeveloperUserIdentifierList, names) || got.NextToken != "" {
		t.Errorf("by identity: got %+v, want all users", got)
	}
	if got := w.lookup(object{"IdentityId": w.getID(nil)}); got.DeveloperUserIdentifierList == nil || len(got.DeveloperUserIdentifierList) != 0 {
		t.Errorf("a guest: got %+v, want an empty list", got)
	}
	var pages [][]string
	in := object{"IdentityId": id, "MaxResults": 3}
	for {
		page := w.lookup(in)
		pages = append(pages, page.DeveloperUserIdentifierList)
		if page.NextToken == "" {
			break
		}
		in["NextToken"] = page.NextToken
	}
	if d := cmp.Diff(pages, [][]string{names[:3], names[3:6], names[6:]}); d != "" {
		t.Errorf("pages (-got +want):\n%s", d)
	}
}

// fetch gets a document of the server as a relying party would, who knows the issuer alone.
func (w *world) fetch(url string, into any) http.Header {
	w.t.Helper()
	const issuer = "https://idpool.test"
	path, ok := strings.CutPrefix(url, issuer)
	if !ok {
		w.t.Fatalf("%s is not below %s", url, issuer)
	}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, w.URL+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		w.t.Fatalf("%s: %d, %v", url, resp.StatusCode, err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		w.t.Fatal(err)
	}
	return resp.Header
}

// verified returns the payload of a token of ours, after what a relying party does: discovery, key set, signature.
func (w *world) verified(token string) []byte {
	w.t.Helper()
	var discovery struct {
		Issuer string   `json:"issuer"`
		JWKS   string   `json:"jwks_uri"`
		Algs   []string `json:"id_token_signing_alg_values_supported"`
	}
	w.fetch("https://idpool.test/.well-known/openid-configuration", &discovery)
	var keys jose.JSONWebKeySet
	header := w.fetch(discovery.JWKS, &keys)
	if discovery.Issuer != "https://idpool.test" || !slices.Equal(discovery.Algs, []string{"RS512"}) || header.Get("Cache-Control") != "public, max-age=3600" {
		w.t.Errorf("got the discovery %+v and the key set's %v", discovery, header)
	}
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS512})
	if err != nil {
		w.t.Fatal(err)
	}
	found := keys.Key(signed.Signatures[0].Protected.KeyID)
	if len(found) != 1 || found[0].Algorithm != "RS512" || found[0].Use != "sig" || !found[0].IsPublic() {
		w.t.Fatalf("got the keys %+v, want one public RS512 key", found)
	}
	payload, err := signed.Verify(found[0])
	if err != nil {
		w.t.Fatal(err)
	}
	return payload
}

// TestOpenIDToken: header, payload in AWS's order, lifetime, amr and tags of the tokens of both operations, byte for byte
// (spec §10).
func TestOpenIDToken(t *testing.T) {
	w := newWorld(t, options{})
	alice, guest := w.getID(w.idp.logins(map[int]string{0: "alice", 1: "ali:ce"})), w.getID(nil)
	dev := w.developerToken(object{"Logins": user("a:b")}).IdentityId
	oidc := func(n int, sub string) string {
		return fmt.Sprintf(`,%q,%q`, w.idp.key(n), w.idp.arn(n)+":OIDC:"+sub)
	}
	asDeveloper := func(name string) string {
		return fmt.Sprintf(`,%q,%q`, developer, developer+":"+w.pool+":"+name)
	}
	const openID, mint = "GetOpenIdToken", "GetOpenIdTokenForDeveloperIdentity"
	for name, row := range map[string]struct {
		op       string
		in       object
		id       string
		amr      string
		tags     string
		lifetime int64
	}{
		"guest":             {openID, object{"IdentityId": guest}, guest, `"unauthenticated"`, "", 600},
		"one login":         {openID, object{"IdentityId": alice, "Logins": w.idp.login(0, "alice")}, alice, `"authenticated"` + oidc(0, "alice"), "", 600},
		"a sub with colons": {openID, object{"IdentityId": alice, "Logins": w.idp.login(1, "ali:ce")}, alice, `"authenticated"` + oidc(1, "ali:ce"), "", 600},
		"two logins": {openID, object{"IdentityId": alice, "Logins": w.idp.logins(map[int]string{0: "alice", 1: "ali:ce"})}, alice,
			`"authenticated"` + oidc(0, "alice") + oidc(1, "ali:ce"), "", 600},
		"developer":                {mint, object{"Logins": user("a:b")}, dev, `"authenticated"` + asDeveloper("a:b"), "", 900},
		"developer, a second":      {mint, object{"Logins": user("a:b"), "TokenDuration": 1}, dev, `"authenticated"` + asDeveloper("a:b"), "", 1},
		"developer, a day":         {mint, object{"Logins": user("a:b"), "TokenDuration": 86400}, dev, `"authenticated"` + asDeveloper("a:b"), "", 86400},
		"developer beside a login": {mint, object{"Logins": both(user("a:b"), w.idp.login(2, "dev"))}, dev, `"authenticated"` + asDeveloper("a:b") + oidc(2, "dev"), "", 900},
		"developer with tags":      {mint, object{"Logins": user("a:b"), "PrincipalTags": object{"team": "red", "a": "b"}}, dev, `"authenticated"` + asDeveloper("a:b"), `{"a":["b"],"team":["red"]}`, 900},
	} {
		if row.op == mint {
			row.in["IdentityPoolId"] = w.pool
		}
		out := w.ok(row.op, row.in)
		tags := ""
		if row.tags != "" {
			tags = `"https://aws.amazon.com/tags":{"principal_tags":` + row.tags + `},`
		}
		want := fmt.Sprintf(`{"sub":%q,"aud":%q,"amr":[%s],%s"iss":"https://idpool.test","https://cognito-identity.amazonaws.com/identity-pool-arn":%q,"exp":%d,"iat":%d}`,
			row.id, w.pool, row.amr, tags, poolARN(w.pool), noon.Unix()+row.lifetime, noon.Unix())
		if got := string(w.verified(out.Token)); got != want || out.IdentityId != row.id {
			t.Errorf("%s: %s has\n%s, want\n%s", name, out.IdentityId, got, want)
		}
		header, err := base64.RawURLEncoding.DecodeString(strings.Split(out.Token, ".")[0])
		if err != nil || !regexp.MustCompile(`^\{"alg":"RS512","kid":"[\w-]{43}","typ":"JWS"\}$`).Match(header) {
			t.Errorf("%s: got the header %s, %v", name, header, err)
		}
	}
}

// TestClassicFlow: the switch has three states, the server one for those that never set it, and role mappings end it.
func TestClassicFlow(t *testing.T) {
	for _, unset := range []bool{true, false} {
		w := newWorld(t, options{configure: func(c *config.Config) { c.ClassicWhenUnset = unset }})
		guest, alice := w.getID(nil), w.getID(w.idp.login(0, "alice"))
		dev := w.developerToken(object{"Logins": user("dev")})
		for name, row := range map[string]struct {
			set     *bool
			allowed bool
		}{"allowed": {new(true), true}, "denied": {new(false), false}, "never set": {nil, unset}} {
			w.ok("UpdateIdentityPool", object{"IdentityPoolId": w.pool, "IdentityPoolName": "p", "AllowUnauthenticatedIdentities": true,
				"OpenIdConnectProviderARNs": w.idp.arns(poolIssuers), "AllowClassicFlow": row.set})
			for who, in := range map[string]object{"guest": {"IdentityId": guest}, "alice": {"IdentityId": alice, "Logins": w.idp.login(0, "alice")}} {
				if !row.allowed {
					w.refuse(t, name+" for "+who, invalid, "Basic (classic) flow is not enabled, please use enhanced flow.", ask{op: "GetOpenIdToken", in: in})
				} else if out := w.ok("GetOpenIdToken", in); out.Token == "" {
					t.Errorf("%s for %s: got no token", name, who)
				}
			}
			w.vend(alice, w.idp.login(0, "alice")) // the enhanced flow does not care, nor do developers
			w.developerToken(object{"Logins": user("dev")})
			w.vend(dev.IdentityId, map[string]string{own: dev.Token})
		}
		w.changePool(w.pool, func(p *pool.Pool) {
			p.AllowClassic = new(true)
			p.RoleMappings = map[string]pool.RoleMapping{w.idp.arn(0): {Type: pool.TypeRules, Ambiguous: pool.Deny}}
		})
		w.refuse(t, "role mappings", invalid, "Basic (classic) flow is not supported with RoleMappings, please use enhanced flow.", ask{op: "GetOpenIdToken", in: object{"IdentityId": guest}})
	}
}
