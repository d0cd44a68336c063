module idpool/compat

go 1.26
