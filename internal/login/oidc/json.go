package oidc

import "idpool/internal/strictjson"

func decodeObject(b []byte) (map[string]any, error) { return strictjson.Object(b) }
