package config

// hostileInit has values that YAML would read otherwise if they were not quoted.
var hostileInit = Init{
	PublicURL: "https://id.example.com", AccountID: "012345678901", Store: "sqlite:a: b #c.db", KeyFile: `true`,
	DataDir: "/srv/\"x\" \\ é: #1",
}
