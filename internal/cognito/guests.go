package cognito

import (
	"idpool/internal/admission"
	"idpool/internal/event"
	"idpool/internal/operation"
)

// GuestRates bound how many guests are made, whom nobody vouches for and who fill a disk (security F1). Nil ones limit
// nothing.
type GuestRates struct {
	Client *admission.Rates // of one client in one pool
	Pool   *admission.Rates // of all clients in one pool
	All    *admission.Rates // of all clients in all pools
}

// take takes one guest from each bucket. A client who makes too many takes nothing from the others.
func (r *GuestRates) take(call *operation.Call, poolID string) error {
	for _, bound := range []struct {
		rates    *admission.Rates
		key, who string
	}{
		{r.Client, poolID + " " + admission.Neighbourhood(call.Client), "of one client"},
		{r.Pool, poolID, "of one pool"},
		{r.All, "", "of all pools"},
	} {
		if err := bound.rates.Take(bound.key, call.Now); err != nil {
			call.Event.Add(event.Step{Name: "link", Expected: "guests " + bound.who + " at the permitted rate", Found: "too many"})
			return err
		}
	}
	return nil
}
