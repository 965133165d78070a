// In GOPATH mode Go resolves /v2 and /v3 in import paths only for packages below a go.mod.
module peer
