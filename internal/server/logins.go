package server

import (
	"crypto/rand"
	"errors"

	"idpool/internal/admission"
	"idpool/internal/cognito"
	"idpool/internal/config"
	"idpool/internal/login"
	"idpool/internal/login/saml"
	"idpool/internal/login/social"
)

// burst is how many seconds' worth of questions one client may cause at once.
const burst = 10

// checkLoginProviders refuses places in plain HTTP but for development.
func checkLoginProviders(o *Options) error {
	if o.Config.LoginProviders.PlainHTTP() && !o.LoopbackHTTP {
		return errors.New("login_providers: http:// is for `idpool dev` alone: what is asked there holds tokens and secrets")
	}
	return nil
}

// verifiers are those of each kind of provider. turns bounds how many signatures are checked at once.
func (s *Server) verifiers(c *config.Config, turns *admission.Pool) map[login.Kind]login.Verifier {
	asking := social.New(social.Options{
		Asker: s.fetch, IDTokens: s.verifier, Random: rand.Reader,
		AtOnce: c.LoginProviders.ChecksAtOnce, Wait: admissionWait, PerSecond: c.LoginProviders.ChecksPerSecond,
	})
	return map[login.Kind]login.Verifier{
		login.SAML: saml.New(saml.Options{Admit: turns.Do, Recipients: saml.Recipients(c.Region)}),
		login.OIDC: s.verifier, login.Social: s.verifier, login.UserPool: asking,
		login.Facebook: asking, login.Amazon: asking, login.Twitter: asking, login.Discontinued: asking,
	}
}

// questions limits how often one client has a provider asked.
func questions(c *config.Config) *admission.Rates { return bursting(c.LoginProviders.ChecksPerClient) }

// bursting is a rate for each key, of which some seconds may come at once.
func bursting(perSecond int) *admission.Rates {
	return admission.NewRates(float64(perSecond), perSecond*burst)
}

// guestRates are the bounds on the making of guests: for one client, for one pool, in all.
func guestRates(c *config.Config) cognito.GuestRates {
	return cognito.GuestRates{
		Client: admission.NewRates(float64(c.Limits.GuestsPerSecond), c.Limits.GuestsBurst),
		Pool:   bursting(c.Limits.GuestsPerPool), All: bursting(c.Limits.GuestsInAll),
	}
}
