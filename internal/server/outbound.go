package server

import (
	"net/http"

	"idpool/internal/issuer"
)

// outboundPages adds the documents of the outbound issuer below ours.
func (s *Server) outboundPages(out map[string]http.Handler, own string) {
	base, discovery := pathOf(own)+issuer.OutboundPath, issuer.OutboundDiscovery(own)
	out[base+issuer.DiscoveryPath] = document(func() ([]byte, error) { return discovery, nil })
	out[base+issuer.OutboundKeysPath] = document(func() ([]byte, error) {
		current, err := s.Source.Current()
		if err != nil {
			return nil, err
		}
		return issuer.OutboundKeys(current.Keys)
	})
}
